//! The settings.

use super::Controller;
use crate::view::{Preferences, Report};

impl Controller {
    /// Keeps the settings; they hold at once.
    ///
    /// # Errors
    /// When a setting makes no sense, or the file cannot be written.
    pub fn save_preferences(&self, preferences: Preferences) -> Result<(), Report> {
        self.parts.preferences.save(preferences)
    }
}
