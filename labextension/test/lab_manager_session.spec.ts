import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { FaceChannel } from '../src/lab/manager/face_channel';
import { Session } from '../src/lab/manager/session';
import { FakeSocket } from './fake_socket';

const listener = { greeted: vi.fn(), lost: vi.fn() };
let session: Session;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  listener.greeted.mockClear();
  listener.lost.mockClear();
  session = new Session(() => new FakeSocket('ws://here/gcs-lab/channels') as unknown as WebSocket, '1.0.0', listener, () => 'the line is lost');
});

afterEach(() => {
  session.stop();
  vi.useRealTimers();
});

function heardBy(channel: FaceChannel): { messages: unknown[]; lives: boolean[] } {
  const heard = { messages: [] as unknown[], lives: [] as boolean[] };
  channel.onMessage(message => { heard.messages.push(message); });
  channel.onLive(live => { heard.lives.push(live); });
  return heard;
}

/** The next try, after the line broke. */
function nextSocket(): FakeSocket {
  const count = FakeSocket.made.length;
  vi.advanceTimersByTime(500);
  expect(FakeSocket.made.length).toBe(count + 1);
  return FakeSocket.last();
}

test('what is said before the line is there is kept, in order, behind the greeting', () => {
  const channel = session.open('cockpit', { cluster: 'demo', mine: true });
  channel.send({ kind: 'hello' });
  channel.send({ kind: 'view', id: 1 });
  session.start();
  const socket = FakeSocket.last();
  expect(socket.said).toEqual([]);
  socket.greet();
  expect(socket.said).toEqual([
    { op: 'start', protocol: 1, version: '1.0.0', session: null, seen: 0 },
    { op: 'open', channel: 1, face: 'cockpit', start: { cluster: 'demo', mine: true } },
    { op: 'say', channel: 1, message: { kind: 'hello' } },
    { op: 'say', channel: 1, message: { kind: 'view', id: 1 } }
  ]);
  expect(listener.greeted).toHaveBeenCalledWith('1.0.0', true);
});

test('a broken line goes on where it was: nothing is missing, nothing comes twice, no face notices', () => {
  session.start();
  const channel = session.open('panel', { cluster: 'demo' });
  const heard = heardBy(channel);
  const first = FakeSocket.last().greet();
  channel.send('a');
  first.say(1, 1, 'one');
  channel.send('b');
  first.drop();
  channel.send('c');
  const second = nextSocket();
  second.onopen?.();
  expect(second.said).toEqual([{ op: 'start', protocol: 1, version: '1.0.0', session: 's1', seen: 1 }]);
  // `open` and "a" have come, "b" was lost with the line.
  second.tell({ op: 'started', protocol: 1, version: '1.0.0', session: 's1', resumed: true, beat: 30, heard: 2 });
  second.say(1, 1, 'one');
  second.say(2, 1, 'two');
  expect(second.words()).toEqual(['b', 'c']);
  expect(heard).toEqual({ messages: ['one', 'two'], lives: [] });
});

test('what the server has heard by a beat is not said again', () => {
  session.start();
  const channel = session.open('panel', { cluster: 'demo' });
  const first = FakeSocket.last().greet();
  channel.send('a');
  first.tell({ op: 'beat', seq: 0, heard: 2 });
  channel.send('b');
  channel.send('c');
  first.drop();
  nextSocket().greet({ resumed: true, heard: 3 });
  expect(FakeSocket.last().words()).toEqual(['c']);
});

test('without word of what the server heard, a channel in doubt is opened anew and others stay', () => {
  session.start();
  const quiet = session.open('panel', { cluster: 'demo' });
  const busy = session.open('cockpit', { cluster: 'demo' });
  const [quietHeard, busyHeard] = [heardBy(quiet), heardBy(busy)];
  const first = FakeSocket.last().greet();
  vi.advanceTimersByTime(6000);
  first.say(1, 1, 'x');
  busy.send('perhaps lost');
  first.drop();
  const second = nextSocket();
  second.greet({ resumed: true });
  expect(second.said.slice(1)).toEqual([
    { op: 'close', channel: 2 },
    { op: 'open', channel: 3, face: 'cockpit', start: { cluster: 'demo' } }
  ]);
  expect(quietHeard.lives).toEqual([]);
  expect(busyHeard.lives).toEqual([false, true]);
});

test('a session that is gone is begun anew: faces give up what they asked, and greet again', () => {
  session.start();
  const channel = session.open('cockpit', { cluster: 'demo' });
  const heard = heardBy(channel);
  channel.onLive(live => { if (live) { channel.send({ kind: 'hello' }); } });
  FakeSocket.last().greet();
  channel.send({ kind: 'details', id: 7 });
  FakeSocket.last().drop();
  channel.send({ kind: 'act', id: 8 });
  nextSocket().greet({ session: 's2' });
  expect(FakeSocket.last().said.slice(1)).toEqual([
    { op: 'open', channel: 2, face: 'cockpit', start: { cluster: 'demo' } },
    { op: 'say', channel: 2, message: { kind: 'hello' } }
  ]);
  expect(heard.lives).toEqual([false, true]);
  FakeSocket.last().say(1, 2, 'of the new session');
  FakeSocket.last().say(2, 1, 'of a channel that is gone');
  expect(heard.messages).toEqual(['of the new session']);
});

test('a line that stays away is told after a moment, and questions are refused at once', async () => {
  session.start();
  const channel = session.open('panel', { cluster: 'demo' });
  const heard = heardBy(channel);
  FakeSocket.last().greet().drop();
  vi.advanceTimersByTime(3900);
  expect(heard.lives).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(heard.lives).toEqual([false]);
  expect(listener.lost).toHaveBeenCalled();
  channel.send({ kind: 'act', id: 3, action: 'cancel', job_id: '7' });
  channel.send({ kind: 'visible', visible: true });
  await Promise.resolve();
  expect(heard.messages).toEqual([{ kind: 'trouble', id: 3, message: 'the line is lost' }]);
  while (FakeSocket.last().closed) {
    vi.advanceTimersByTime(1000);
  }
  FakeSocket.last().greet({ resumed: true, heard: 1 });
  expect(heard.lives).toEqual([false, true]);
  expect(FakeSocket.last().words()).toEqual([]);
});

test('a line without any word for two beats is given up', () => {
  session.start();
  const socket = FakeSocket.last().greet({ beat: 10 });
  vi.advanceTimersByTime(15_000);
  socket.tell({ op: 'beat', seq: 0 });
  expect(socket.said.at(-1)).toEqual({ op: 'seen', seq: 0 });
  vi.advanceTimersByTime(19_000);
  expect(socket.closed).toBe(false);
  vi.advanceTimersByTime(1500);
  expect(socket.closed).toBe(true);
  expect(FakeSocket.made.length).toBe(2);
});

test('tries become rarer, and one is made at once when the page is seen again or the network returns', () => {
  session.start();
  const waits: number[] = [];
  for (let count = 1; count <= 12; count += 1) {
    FakeSocket.last().drop();
    const from = Date.now();
    while (FakeSocket.made.length === count) {
      vi.advanceTimersByTime(50);
    }
    waits.push(Date.now() - from);
  }
  expect(waits[0]).toBeLessThanOrEqual(500);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(7500);
  expect(Math.max(...waits)).toBeLessThanOrEqual(15_050);
  vi.advanceTimersByTime(2000);
  FakeSocket.last().drop();
  window.dispatchEvent(new Event('online'));
  document.dispatchEvent(new Event('visibilitychange'));
  vi.advanceTimersByTime(1);
  expect(FakeSocket.made.length).toBe(14);
});

test('every fiftieth message is acknowledged', () => {
  session.start();
  session.open('panel', { cluster: 'demo' });
  const socket = FakeSocket.last().greet();
  for (let seq = 1; seq <= 120; seq += 1) {
    socket.say(seq, 1, seq);
  }
  expect(socket.said.filter(message => message.op === 'seen')).toEqual([{ op: 'seen', seq: 50 }, { op: 'seen', seq: 100 }]);
});

test('a message that is missing makes the session begin anew', () => {
  session.start();
  session.open('panel', { cluster: 'demo' });
  FakeSocket.last().greet().say(2, 1, 'one is missing');
  nextSocket().onopen?.();
  expect(FakeSocket.last().said[0]).toMatchObject({ op: 'start', session: null });
});

test('a channel that failed tells why, and can be asked for again', () => {
  session.start();
  const channel = session.open('panel', { cluster: 'gone' });
  const heard = heardBy(channel);
  const socket = FakeSocket.last().greet();
  socket.tell({ op: 'failed', seq: 1, channel: 1, error: { type: 'ClusterNotFound', message: 'there is no cluster "gone"' } });
  expect(channel.problem.value?.message).toBe('there is no cluster "gone"');
  expect(heard.lives).toEqual([false]);
  vi.advanceTimersByTime(50_000);
  expect(socket.ops()).toEqual(['start', 'open']);
  channel.retry();
  expect(channel.problem.value).toBeNull();
  expect(heard.lives).toEqual([false, true]);
  expect(socket.ops()).toEqual(['start', 'open', 'open']);
  expect(socket.said.at(-1)).toMatchObject({ start: { cluster: 'gone', wake: true } });
  socket.drop();
  nextSocket().greet({ session: 'another' });
  // When it is opened anew by itself nothing is started for it.
  expect(FakeSocket.last().said.at(-1)).toMatchObject({ op: 'open', start: { cluster: 'gone' } });
  expect(FakeSocket.last().said.at(-1)).not.toHaveProperty('start.wake');
});

test('a cluster that does not answer now is asked for again by itself, more and more rarely', () => {
  session.start();
  const channel = session.open('panel', { cluster: 'demo' });
  const socket = FakeSocket.last().greet();
  const fail = (seq: number) => {
    socket.tell({ op: 'failed', seq, channel: channel.number, error: { type: 'DrmCommunication', message: 'qmaster does not answer' } });
  };
  fail(1);
  vi.advanceTimersByTime(5000);
  expect(channel.number).toBe(2);
  fail(2);
  vi.advanceTimersByTime(5000);
  expect(channel.number).toBe(2);
  vi.advanceTimersByTime(5000);
  expect(channel.number).toBe(3);
  channel.dispose();
  expect(socket.said.at(-1)).toEqual({ op: 'close', channel: 3 });
  fail(3);
  vi.advanceTimersByTime(600);
  expect(channel.number).toBe(3);
});

test('another protocol ends the session, and a server that does not greet is given up', () => {
  session.start();
  FakeSocket.last().greet({ protocol: 2, version: '9.0.0' });
  expect(listener.greeted).toHaveBeenCalledWith('9.0.0', false);
  vi.advanceTimersByTime(100_000);
  expect(FakeSocket.made.length).toBe(1);
  session.start();
  FakeSocket.last().onopen?.();
  vi.advanceTimersByTime(20_500);
  expect(FakeSocket.made.length).toBe(3);
});

test('words that are none of the server are not taken for any', () => {
  session.start();
  FakeSocket.last().greet().onmessage?.({ data: '<html>login</html>' });
  expect(FakeSocket.last().closed).toBe(true);
});

test('a session that was stopped makes no line and leaves no timer', () => {
  session.start();
  session.open('panel', { cluster: 'demo' });
  FakeSocket.last().greet().drop();
  session.stop();
  expect(vi.getTimerCount()).toBe(0);
});
