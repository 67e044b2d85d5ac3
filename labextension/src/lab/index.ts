// The plugins of the JupyterLab extension. Each is small here, and loads its view when it is first shown.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { managerPlugin } from './manager/plugin';
import { notebookPlugins } from './notebook/plugins';
import { panelPlugin } from './panel/plugin';
import { platformPlugins } from './platform/plugins';
import { viewsPlugin } from './views/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  managerPlugin,
  viewsPlugin,
  panelPlugin,
  ...notebookPlugins,
  ...platformPlugins
];

export default plugins;
