// What the page loads with the extension; build.mjs makes it of lab.css.
import '../lib/lab.css';
