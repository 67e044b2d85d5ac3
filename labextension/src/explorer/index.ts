// The entry of the explorer that anywidget loads.
import { faceWidget } from '../face/face_widget';
import { mountExplorer } from './explorer';

export default faceWidget(mountExplorer, '_explorer_id');
