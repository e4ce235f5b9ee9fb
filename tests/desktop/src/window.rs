//! The window, as a user sees and operates it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use tokio::time::timeout;
use towline_cluster_tests::{eventually, setting};

/// A mark of `ui/src/lib/testids.ts`, and attributes where several elements bear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

/// The mark of this name.
pub fn mark(name: &str) -> Mark {
    Mark(format!("[data-testid={name:?}]"))
}

impl Mark {
    /// Only where an attribute has this value, as `("data-name", "orders")`.
    #[must_use]
    pub fn with(self, attribute: &str, value: &str) -> Self {
        Self(format!("{}[{attribute}={value:?}]", self.0))
    }

    /// The element of this name inside the marked one.
    #[must_use]
    pub fn child(self, element: &str) -> Self {
        Self(format!("{} {element}", self.0))
    }

    /// This mark inside another one.
    #[must_use]
    pub fn inside(self, outer: &Self) -> Self {
        Self(format!("{} {}", outer.0, self.0))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long the driver may take for what an eye and a finger do at once.
const ANSWER: Duration = Duration::from_secs(20);

/// WebKit takes a picture with the next frame that it paints, and a page on which nothing moves paints none.
const REPAINT: &str = "
    let left = 40;
    const timer = setInterval(() => {
        left -= 1;
        document.documentElement.style.opacity = left > 0 && left % 2 ? '0.999' : '';
        if (left === 0) clearInterval(timer);
    }, 50);
";

/// What the driver answers; a page that hangs makes it wait for ever.
async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(ANSWER, answer)
        .await
        .with_context(|| format!("the window does not answer for {} s", ANSWER.as_secs()))?
}

/// The window.
pub struct Window {
    client: Client,
}

impl Window {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Waits for an element.
    ///
    /// # Errors
    /// When it does not come; with what the window shows instead.
    pub async fn find(&self, mark: &Mark) -> Result<Element> {
        let found = eventually(&format!("{mark} in the window"), || {
            in_time(async { Ok(Some(self.client.find(Locator::Css(&mark.0)).await?)) })
        })
        .await;
        self.explain(found).await
    }

    /// Clicks an element, once it is there and takes clicks.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn click(&self, mark: &Mark) -> Result<()> {
        let clicked = eventually(&format!("a click on {mark}"), || {
            in_time(async {
                let element = self.client.find(Locator::Css(&mark.0)).await?;
                ensure!(element.is_enabled().await?, "it is disabled");
                self.bring_up(&element).await?;
                element.click().await?;
                Ok(Some(()))
            })
        })
        .await;
        self.explain(clicked).await
    }

    /// Clicks an element until another one comes of it. A page that still reads may move under the pointer, and the click go beside.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn click_until(&self, mark: &Mark, comes: &Mark) -> Result<()> {
        let came = eventually(&format!("{comes}, by a click on {mark}"), || {
            in_time(async {
                if !self.client.find_all(Locator::Css(&comes.0)).await?.is_empty() {
                    return Ok(Some(()));
                }
                let element = self.client.find(Locator::Css(&mark.0)).await?;
                self.bring_up(&element).await?;
                element.click().await?;
                Ok(None)
            })
        })
        .await;
        self.explain(came).await
    }

    /// Puts text into a field in the place of what it has.
    ///
    /// # Errors
    /// When it does not take it.
    pub async fn fill(&self, mark: &Mark, text: &str) -> Result<()> {
        let filled = eventually(&format!("{mark} with {text:?}"), || {
            in_time(async {
                let element = self.client.find(Locator::Css(&mark.0)).await?;
                self.bring_up(&element).await?;
                element.click().await?;
                element.clear().await?;
                element.send_keys(text).await?;
                Ok((element.prop("value").await?.as_deref() == Some(text)).then_some(()))
            })
        })
        .await;
        self.explain(filled).await
    }

    /// Waits until an element's text satisfies `wanted`, and gives it.
    ///
    /// # Errors
    /// When it does not.
    pub async fn text(&self, mark: &Mark, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let text = eventually(&format!("the text of {mark}"), || {
            in_time(async {
                let text = self.client.find(Locator::Css(&mark.0)).await?.text().await?;
                ensure!(wanted(&text), "it is {text:?}");
                Ok(Some(text))
            })
        })
        .await;
        self.explain(text).await
    }

    /// Waits until the text in the page's tree satisfies `wanted`, and gives it: also that of elements with `overflow: hidden`, such as names that may be
    /// cut at the end of their column. WebKit's driver takes any of those that holds nothing but text for hidden (`isElementSubtreeHiddenByOverflow` in
    /// its `ElementDisplayed.js`), and leaves it out of [`Window::text`].
    ///
    /// # Errors
    /// When it does not.
    pub async fn content(&self, mark: &Mark, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let content = eventually(&format!("the content of {mark}"), || {
            in_time(async {
                let element = self.client.find(Locator::Css(&mark.0)).await?;
                let content = element.prop("textContent").await?.unwrap_or_default();
                ensure!(wanted(&content), "it is {content:?}");
                Ok(Some(content))
            })
        })
        .await;
        self.explain(content).await
    }

    /// Waits until an element is no more.
    ///
    /// # Errors
    /// When it stays.
    pub async fn gone(&self, mark: &Mark) -> Result<()> {
        let gone = eventually(&format!("{mark} is gone"), || {
            in_time(async {
                Ok(self.client.find_all(Locator::Css(&mark.0)).await?.is_empty().then_some(()))
            })
        })
        .await;
        self.explain(gone).await
    }

    /// Sends keys to an element that is no field.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn type_to(&self, mark: &Mark, keys: &str) -> Result<()> {
        let element = self.find(mark).await?;
        in_time(async { Ok(element.send_keys(keys).await?) }).await
    }

    /// What a script gives that runs in the page.
    ///
    /// # Errors
    /// When it throws.
    pub async fn script(&self, script: &str) -> Result<serde_json::Value> {
        in_time(async { Ok(self.client.execute(script, Vec::new()).await?) }).await
    }

    /// Everything that the window shows, as text.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn everything(&self) -> Result<String> {
        let text = self.script("return document.body.innerText").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Keeps a picture of the window, and gives its path.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn picture(&self, name: &str) -> Result<PathBuf> {
        let directory = PathBuf::from(setting("TOWLINE_TEST_SCREENSHOTS")?);
        tokio::fs::create_dir_all(&directory).await?;
        let path = directory.join(format!("{name}.png"));
        self.script(REPAINT).await?;
        let picture = in_time(async { Ok(self.client.screenshot().await?) }).await?;
        tokio::fs::write(&path, picture)
            .await
            .with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    /// Scrolls an element to where nothing covers it.
    async fn bring_up(&self, element: &Element) -> Result<()> {
        let arguments = vec![serde_json::to_value(element)?];
        self.client.execute("arguments[0].scrollIntoView({block: 'center'})", arguments).await?;
        Ok(())
    }

    /// Says, beside an error, what the window showed.
    async fn explain<T>(&self, result: Result<T>) -> Result<T> {
        let Err(error) = result else {
            return result;
        };
        let shown = self.everything().await.unwrap_or_else(|error| format!("nothing: {error:#}"));
        let picture = match self.picture("failed").await {
            Ok(path) => path.display().to_string(),
            Err(error) => format!("none: {error:#}"),
        };
        Err(error.context(format!("picture: {picture}; the window shows:\n{shown}\n")))
    }
}
