// What a person chose in the settings editor (schema/platform.json).
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

export const PLATFORM_ID = 'gcs-lab:platform';

export type Notified = 'all' | 'failures' | 'none';

export interface IPlatformSettings {
  notifications: Notified;
  statusBar: boolean;
  cluster: string;
}

const DEFAULTS: IPlatformSettings = { notifications: 'all', statusBar: true, cluster: '' };

/** Call `told` with the settings now and whenever they change; without a registry with the defaults. */
export async function followSettings(registry: ISettingRegistry | null, told: (settings: IPlatformSettings) => void): Promise<void> {
  if (registry === null) {
    told(DEFAULTS);
    return;
  }
  const loaded = await registry.load(PLATFORM_ID).catch(() => null);
  if (loaded === null) {
    // The schema was not installed, or the user's file of settings is not one: JupyterLab tells of it.
    told(DEFAULTS);
    return;
  }
  // The registry has checked them by the schema, and filled in its defaults.
  const tell = () => { told({ ...DEFAULTS, ...(loaded.composite as Partial<IPlatformSettings>) }); };
  loaded.changed.connect(tell);
  tell();
}
