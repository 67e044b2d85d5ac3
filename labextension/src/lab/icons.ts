// The icons of this extension, 16 by 16. Their colours are JupyterLab's, by its classes: `jp-icon3` is drawn as its own
// icons of the same rank, `jp-icon-selectable` turns to the brand's colour where something is selected.
import { LabIcon } from '@jupyterlab/ui-components';

/** @param parts - of the drawing, as SVG in the colour that they inherit */
function icon(name: string, parts: string): LabIcon {
  return new LabIcon({
    name: `gcs-lab:${name}`,
    svgstr:
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">' +
      `<g class="jp-icon3 jp-icon-selectable" fill="#616161">${parts}</g></svg>`
  });
}

const ROWS = '<path d="M1.5 11h4v1.5h-4ZM1.5 7.25h7v1.5h-7ZM1.5 3.5h13V5h-13Z"/>';

/** Three servers, one above the other, each with its lamp. */
export const clusterIcon = icon(
  'cluster',
  '<path fill-rule="evenodd" d="M3 1.5h10a1 1 0 0 1 1 1V5a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V2.5a1 1 0 0 1 1-1Zm1 1.5v1.5h1.5V3Zm4 .25v1h4v-1Z' +
    'M3 6.75h10a1 1 0 0 1 1 1v.5a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1v-.5a1 1 0 0 1 1-1Z' +
    'M3 10h10a1 1 0 0 1 1 1v2.5a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V11a1 1 0 0 1 1-1Zm1 1.5V13h1.5v-1.5Zm4 .25v1h4v-1Z"/>'
);

/** A page of work that runs. */
export const jobIcon = icon(
  'job',
  '<path fill-rule="evenodd" d="M3.5 1.5h9a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1Zm.5 1.5v10h8V3Zm2.5 2.25L11 8l-4.5 2.75Z"/>'
);

/** Rows that wait their turn; the first goes. */
export const queueIcon = icon('queue', `${ROWS}<path d="M10.5 7.5l4 3-4 3Z"/>`);

/** Bars over a ground line. */
export const accountingIcon = icon('accounting', '<path d="M1.5 13h13v1.5h-13ZM2.5 8H5v4H2.5ZM6.75 2h2.5v10h-2.5ZM11 5h2.5v7H11Z"/>');

/** A grid of machines. */
export const hostsIcon = icon(
  'hosts',
  '<path fill-rule="evenodd" d="M2 2h5v5H2Zm1.5 1.5v2h2v-2ZM9 2h5v5H9Zm1.5 1.5v2h2v-2ZM2 9h5v5H2Zm1.5 1.5v2h2v-2ZM9 9h5v5H9Z"/>'
);

/** What is here goes to the servers. */
export const runOnClusterIcon = icon(
  'run-on-cluster',
  '<path d="M1.5 3.5 6.5 8l-5 4.5Z"/><path fill-rule="evenodd" d="M8.5 2h5a1 1 0 0 1 1 1v2.5a1 1 0 0 1-1 1h-5a1 1 0 0 1-1-1V3a1 1 0 0 1 1-1Zm.75 1.5v1.5h1.5V3.5Z' +
    'M8.5 9.5h5a1 1 0 0 1 1 1V13a1 1 0 0 1-1 1h-5a1 1 0 0 1-1-1v-2.5a1 1 0 0 1 1-1Zm.75 1.5v1.5h1.5V11Z"/>'
);
