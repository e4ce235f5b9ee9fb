import type { Backend } from '../backend';
import { refuse, type World } from './world';

export class FakePreferences implements Pick<Backend, 'savePreferences'> {
  constructor(readonly world: World) {}

  savePreferences: Backend['savePreferences'] = async (wished) => {
    if (this.world.scenario === 'settings-refused')
      refuse(
        'settings',
        `The settings cannot be written to ${wished.file}: read-only file system.`,
        'Make the directory writable. Until then the settings are as they were.',
        'os error 30',
      );
    const preferences = { ...structuredClone(wished), problem: null };
    this.world.app.preferences = preferences;
    this.world.emit({ kind: 'preferences', preferences });
  };
}
