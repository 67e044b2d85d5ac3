import { describe, expect, it } from 'vitest';

import { figureOf, rankedAnew, scaleOf } from '../src/explorer/figure_colours';
import { inWords, pixelsOf, widthOf, withTicks } from '../src/explorer/figure_facts';
import { fromAxis, fromInput, periodInWords, PRESETS, presetOf, stepped, timeInWords, toInput } from '../src/explorer/periods';
import { clicked, holds, toggled, valueOf } from '../src/explorer/terms';
import { durationText, timeText } from '../src/grid/cell_text';
import { BROWSER_CLOCK, clockOf } from '../src/grid/wall_clock';
import { figureColour, FIGURE_COLOURS, ownerColour } from '../src/face/colours';
import { FIRST, LAST, makeFigure, makeState } from './fake_explorer_host';

const DAY = 86_400;

describe('periods', () => {
  it('reads and shows times by the clock of the host, also around its turns', () => {
    // Berlin: from 2026-03-29 01:00 UTC on two hours ahead, from 2026-10-25 01:00 UTC on one.
    const [spring, autumn] = [Date.UTC(2026, 2, 29, 1) / 1000, Date.UTC(2026, 9, 25, 1) / 1000];
    const berlin = clockOf([[spring - 90 * DAY, 3600], [spring, 7200], [autumn, 3600]]);
    const noon = Date.UTC(2026, 5, 15, 10) / 1000;
    expect(toInput(noon, berlin)).toBe('2026-06-15T12:00');
    expect(fromInput('2026-06-15T12:00', berlin)).toBe(noon);
    expect(fromAxis('2026-06-15 12:00', berlin)).toBe(noon);
    expect(fromAxis(String(Date.UTC(2026, 5, 15, 12)), berlin)).toBe(noon);
    expect(timeText(noon, noon + 5 * DAY, berlin)).toBe('06-15 12:00');
    expect(PRESETS.find(preset => preset.name === 'month')?.of(noon, berlin).since).toBe(Date.UTC(2026, 4, 31, 22) / 1000);
    for (const turn of [spring, autumn]) {
      for (const time of [turn - 7200, turn - 3601, turn + 3600, turn + 7200]) {
        expect(berlin.moment(berlin.shown(time).getTime())).toBe(time);
      }
    }
  });

  it.each(PRESETS.map(preset => preset.name))('knows its own preset again: %s', name => {
    const period = PRESETS.find(preset => preset.name === name)?.of(LAST, BROWSER_CLOCK) ?? { since: null, until: null };
    expect(presetOf(period, LAST, BROWSER_CLOCK)).toBe(name);
    // An hour of new records later, too.
    expect(presetOf(period, LAST + 3600, BROWSER_CLOCK)).toBe(name);
  });

  it('knows a host\'s thirty days that begin with a whole day, and none of what was chosen by hand', () => {
    expect(presetOf({ since: Math.floor((LAST - 30 * DAY) / DAY) * DAY, until: null }, LAST, BROWSER_CLOCK)).toBe('30d');
    expect(presetOf({ since: LAST - 30 * DAY, until: LAST - 10 * DAY }, LAST, BROWSER_CLOCK)).toBeUndefined();
    expect(presetOf({ since: LAST - 20 * DAY, until: null }, LAST, BROWSER_CLOCK)).toBeUndefined();
  });

  it('takes whole months', () => {
    const [month, before] = ['month', 'before'].map(name => PRESETS.find(preset => preset.name === name)?.of(LAST, BROWSER_CLOCK));
    expect(month?.since).toBe(new Date(2026, 5, 1).getTime() / 1000);
    expect(before).toEqual({ since: new Date(2026, 4, 1).getTime() / 1000, until: month?.since });
  });

  it('moves by its own length', () => {
    expect(stepped({ since: LAST - DAY, until: null }, [FIRST, LAST], -1)).toEqual({ since: LAST - 2 * DAY, until: LAST - DAY });
    expect(stepped({ since: null, until: FIRST + DAY }, [FIRST, LAST], 1)).toEqual({ since: FIRST + DAY, until: FIRST + 2 * DAY });
  });

  it('reads what plotly tells of an axis, and what an input tells', () => {
    const at = (...parts: [number, number, number, number?, number?, number?, number?]) => new Date(...parts).getTime() / 1000;
    expect(fromAxis('2026-03-01', BROWSER_CLOCK)).toBe(at(2026, 2, 1));
    expect(fromAxis('2026-03-01 05:30', BROWSER_CLOCK)).toBe(at(2026, 2, 1, 5, 30));
    expect(fromAxis('2026-03-01 05:30:12.1234', BROWSER_CLOCK)).toBe(at(2026, 2, 1, 5, 30, 12, 123));
    // Milliseconds that show the local clock.
    expect(fromAxis(String(Date.UTC(2026, 2, 1, 5, 30)), BROWSER_CLOCK)).toBe(at(2026, 2, 1, 5, 30));
    expect(fromAxis('much', BROWSER_CLOCK)).toBeNull();
    expect(fromInput(toInput(at(2026, 2, 1, 5, 30), BROWSER_CLOCK), BROWSER_CLOCK)).toBe(at(2026, 2, 1, 5, 30));
    expect([toInput(null, BROWSER_CLOCK), fromInput('', BROWSER_CLOCK)]).toEqual(['', null]);
  });

  it('is said in words', () => {
    const since = new Date(2026, 2, 1).getTime() / 1000;
    expect(timeInWords(since + 5.5 * 3600, BROWSER_CLOCK)).toBe('1 Mar 2026 05:30');
    expect(periodInWords({ since, until: since + DAY }, null, BROWSER_CLOCK)).toBe('1 Mar 2026 – 2 Mar 2026');
    expect(periodInWords({ since: null, until: null }, null, BROWSER_CLOCK)).toBe('all records');
  });
});

describe('a duration in the table', () => {
  it('has its hours also where there are none', () => {
    expect([15, 3600, 864_015, 86_400 + 3 * 3600 + 11 * 60 + 57].map(durationText)).toEqual(['0:15', '1:00:00', '10d 00:00:15', '1d 03:11:57']);
  });
});

describe('terms', () => {
  it('name a value or not', () => {
    expect(valueOf('owner:alice')).toEqual(['owner', 'alice']);
    expect(valueOf('name:"a \\"b\\" c"')).toEqual(['name', 'a "b" c']);
    expect(valueOf('project:""')).toEqual(['project', '']);
    expect(['failed>0', 'owner:alice,bob', 'owner:a*', 'owner:alice failed>0', 'wait>=1:00:00'].map(valueOf)).toEqual(Array(5).fill(undefined));
  });

  it('of a finding come and go together, and leave the others', () => {
    const both = toggled('owner:alice', 'host:node3 failed>0');
    expect(both).toBe('owner:alice host:node3 failed>0');
    expect(holds(both, 'host:node3 failed>0')).toBe(true);
    expect(toggled(both, 'host:node3 failed>0')).toBe('owner:alice');
    // What is there already is not doubled.
    expect(toggled('failed>0', 'host:node3 failed>0')).toBe('failed>0 host:node3');
    expect(toggled('owner:alice or owner:bob', 'failed>0')).toBe('(owner:alice or owner:bob) failed>0');
  });

  it('of a click on values are alternatives of their column', () => {
    expect(clicked('', ['owner:alice'])).toBe('owner:alice');
    expect(clicked('owner:alice', ['owner:bob', 'exit_status:137'])).toBe('owner:alice,bob exit_status:137');
    expect(clicked('owner:alice,bob', ['owner:alice'])).toBe('owner:bob');
    expect(clicked('', ['wait>=60'])).toBe('wait>=60');
  });
});

describe('colours of a figure', () => {
  const bars = makeFigure();

  it('are those of the values, in all figures, light and dark', () => {
    const ranks = rankedAnew({ owner: ['bob'] }, [bars]);
    expect(ranks.owner).toEqual(['bob', 'alice']);
    expect(rankedAnew(ranks, [bars])).toBe(ranks);
    const colours = (dark: boolean) => (figureOf(bars, makeState(), ranks, dark).data as { marker: { color: string } }[]).map(trace => trace.marker.color);
    expect(colours(false)).toEqual([ownerColour(1, false), ownerColour(0, false)]);
    expect(colours(true)).toEqual([ownerColour(1, true), ownerColour(0, true)]);
  });

  it('stay, whatever else was looked at; in one figure no two are one', () => {
    const of = (first: number, count: number) => {
      const names = Array.from({ length: count }, (_, at) => `user${first + at}`);
      return makeFigure({
        figure: { data: names.map(name => ({ type: 'bar', name, x: [1], y: [2] })), layout: {} }, terms: Object.fromEntries(names.map(name => [name, `owner:${name}`]))
      });
    };
    const [usage, other, mixed] = [of(0, 10), of(20, 10), of(5, 10)];
    const first = rankedAnew({}, [usage]);
    const next = rankedAnew(first, [other]);
    const coloursOf = (told: ReturnType<typeof of>, ranks: typeof first) => (
      (figureOf(told, makeState(), ranks, false).data as { marker: { color: string } }[]).map(trace => trace.marker.color)
    );
    expect(coloursOf(usage, next)).toEqual(coloursOf(usage, first));
    expect(new Set(coloursOf(other, next)).size).toBe(10);
    const last = rankedAnew(next, [mixed]);
    expect(new Set(coloursOf(mixed, last)).size).toBe(10);
    expect(coloursOf(usage, last)).toEqual(coloursOf(usage, first));
  });

  it('of what has none are grey; no two of the others are one', () => {
    const all = Array.from({ length: FIGURE_COLOURS + 1 }, (_, place) => figureColour(place, false));
    expect(new Set(all).size).toBe(FIGURE_COLOURS + 1);
    expect(figureColour(FIGURE_COLOURS, false)).toBe(figureColour(99, false));
  });

  it('of causes in several columns do not meet', () => {
    const causes = makeFigure({
      figure: { data: [{ type: 'bar', name: 'killed', x: [1], y: [2] }, { type: 'bar', name: 'status 1', x: [1], y: [1] }], layout: {} },
      terms: { killed: 'failed:100', 'status 1': 'exit_status:1' }
    });
    const { data } = figureOf(causes, makeState(), rankedAnew({}, [causes]), false);
    expect((data as { marker: { color: string } }[]).map(trace => trace.marker.color)).toEqual([figureColour(0, false), figureColour(1, false)]);
  });

  it('of single bars are their values\', but what is marked as bad stays so', () => {
    const single = (pattern: object) => makeFigure({
      figure: { data: [{ type: 'bar', orientation: 'h', x: [2, 1, 3], y: ['alice', 'bob', '9 others'], marker: { color: ['#0072b2', '#d55e00', '#999999'], ...pattern } }], layout: {} }
    });
    const coloursOf = (pattern: object) => (figureOf(single(pattern), makeState(), { owner: ['alice', 'bob'] }, true).data as { marker: { color: string[] } }[])[0]?.marker.color;
    expect(coloursOf({})).toEqual([figureColour(0, true), figureColour(1, true), '#8c8c8c']);
    const marked = single({ pattern: { shape: ['', '/', ''] } });
    expect(coloursOf({ pattern: { shape: ['', '/', ''] } })).toEqual(['#6aa8ee', '#ff9a5c', '#8c8c8c']);
    expect(JSON.stringify(figureOf(marked, makeState(), {}, true).data)).toContain('"fillmode":"overlay"');
  });

  it('of a heat map begin with the ground, and stay where the ground shows through', () => {
    const heat = (colorscale: unknown) => figureOf(makeFigure({ figure: { data: [{ type: 'heatmap', z: [[1]], colorscale }], layout: {} } }), makeState(), {}, true).data as { colorscale: unknown }[];
    expect(heat('Cividis')[0]?.colorscale).toEqual(scaleOf('use', true));
    expect(heat([[0, 'rgba(0,0,0,0)'], [1, 'rgba(0,0,0,1)']])[0]?.colorscale).toEqual([[0, 'rgba(0,0,0,0)'], [1, 'rgba(0,0,0,1)']]);
  });
});

describe('a figure', () => {
  const named = (count: number, layout: Record<string, unknown> = {}) => makeFigure({
    figure: {
      data: [{ type: 'bar', orientation: 'h', x: [1], y: Array.from({ length: count }, (_, place) => `node${place}`) }],
      layout: { yaxis: { type: 'category' }, ...layout }
    }
  });

  it('is as high as its places are many', () => {
    expect([named(3), named(20), named(500), named(3, { height: 200 })].map(pixelsOf)).toEqual([300, 420, 640, 200]);
    expect(withTicks(named(20)).yaxis).toEqual({ dtick: 1, type: 'category' });
    expect(withTicks(named(500)).yaxis).toEqual({ type: 'category' });
  });

  it('has no bar that is as wide as the page', () => {
    const widthIn = (count: number, layout = {}) => widthOf(named(count, layout), named(count).figure.data[0] as { type: string; orientation: string });
    expect([widthIn(1), widthIn(4), widthIn(20), widthIn(1, { barmode: 'group' })]).toEqual([0.1, 0.4, undefined, undefined]);
  });

  it('is told in words', () => {
    expect(inWords(makeFigure())).toBe('Slot hours by owner. Each day. It shows alice, bob.');
  });
});
