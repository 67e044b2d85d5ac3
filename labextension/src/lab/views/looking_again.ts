// What grows while a job lives is looked at again and again, as long as somebody sees it.
import { useEffect } from 'preact/hooks';

export interface ILook {
  /** Whether it must be seen, and for how long it rests, milliseconds. */
  seen: boolean;
  pause: number;
  /** Look once; `isOver` tells that nobody waits for it any more. Resolves with whether to look again. */
  look: (isOver: () => boolean) => Promise<boolean>;
}

/** @param what - where one of these differs it begins anew */
export function useLookingAgain({ seen, pause, look }: ILook, what: readonly unknown[]): void {
  useEffect(() => {
    if (!seen) {
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const again = async () => {
      if (await look(() => over) && !over) {
        timer = setTimeout(() => { void again(); }, pause);
      }
    };
    void again();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [seen, ...what]);
}
