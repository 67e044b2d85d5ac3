import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { entriesPlugin } from './entries';
import { notificationsPlugin } from './notifications';
import { statusBarPlugin } from './status_bar';

export const platformPlugins: JupyterFrontEndPlugin<unknown>[] = [entriesPlugin, statusBarPlugin, notificationsPlugin];
