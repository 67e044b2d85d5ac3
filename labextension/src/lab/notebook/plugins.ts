// What notebooks and files get. All of it is loaded when it is first used, but the badges' watch and the silent magic.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { badgesPlugin } from './badges_plugin';
import { dropPlugin } from './drop_plugin';
import { filesPlugin } from './files_plugin';
import { runCellPlugin } from './run_cell_plugin';

export const notebookPlugins: JupyterFrontEndPlugin<unknown>[] = [runCellPlugin, badgesPlugin, dropPlugin, filesPlugin];
