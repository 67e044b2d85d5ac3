// Small things that many parts of the pages are made of.
export function Icon({ path }: { path: string }) {
  return <svg class="gcs-icon" viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg>;
}

export const CROSS = 'M4 4l8 8M12 4l-8 8';
export const PLAY = 'M5 3.5v9l7.5-4.5Z';
export const PAUSE = 'M5.5 3.5v9M10.5 3.5v9';
export const BACK = 'M10 3.5L5.5 8l4.5 4.5';
export const FORTH = 'M6 3.5L10.5 8L6 12.5';
export const CLOCK = 'M8 4.8V8l2.2 1.4M2.6 6.4A5.6 5.6 0 1 1 2.4 9M2.4 3.2v3.4h3.3';

interface IPress {
  label: string;
  onPress: () => void;
  /** Why it cannot be pressed now; it stays in the order of the keyboard and says it. */
  off?: string | undefined;
  danger?: boolean;
  pressed?: boolean;
  primary?: boolean;
  title?: string;
}

export function Press({ label, onPress, off = '', danger = false, pressed, primary = false, title }: IPress) {
  const kind = `${danger ? ' gcs-danger' : ''}${primary ? ' gcs-primary' : ''}`;
  const more = pressed === undefined ? {} : { 'aria-pressed': pressed };
  return (
    <button
      type="button"
      class={`gcs-button${kind}`}
      title={off === '' ? title : off}
      onClick={() => { if (off === '') { onPress(); } }}
      {...(off === '' ? {} : { 'aria-disabled': 'true', 'aria-description': off })}
      {...more}
    >
      {label}
    </button>
  );
}

export function IconButton({ label, path, onPress, off = '' }: { label: string; path: string; onPress: () => void; off?: string }) {
  return (
    <button
      type="button"
      class="gcs-button gcs-icon-button"
      aria-label={label}
      title={off === '' ? label : off}
      onClick={() => { if (off === '') { onPress(); } }}
      {...(off === '' ? {} : { 'aria-disabled': 'true' })}
    >
      <Icon path={path} />
    </button>
  );
}

/** A switch between a few: radio buttons that look like one. */
export function Choice<T extends string>({ label, options, value, onChoose, name }: {
  label: string; options: readonly (readonly [T, string])[]; value: T; onChoose: (value: T) => void; name: string;
}) {
  return (
    <fieldset class="gcs-choice">
      <legend class="gcs-spoken">{label}</legend>
      {options.map(([option, word]) => (
        <label key={option} class={option === value ? 'gcs-on' : ''}>
          <input type="radio" class="gcs-hidden-input" name={name} checked={option === value} onChange={() => { onChoose(option); }} />
          {word}
        </label>
      ))}
    </fieldset>
  );
}

/** A bar of parts: [share of the whole, class]. */
export function Bar({ parts }: { parts: [number, string][] }) {
  return (
    <span class="gcs-meter" aria-hidden="true">
      {parts.map(([share, kind]) => <span key={kind} class={kind} style={{ width: `${(100 * Math.max(0, Math.min(1, share))).toFixed(2)}%` }} />)}
    </span>
  );
}
