// The entry of the cockpit that anywidget loads.
import { faceWidget } from '../face/face_widget';
import { mountCockpit } from './cockpit';

export default faceWidget(mountCockpit, '_cockpit_id');
