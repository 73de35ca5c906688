// What several processes that share a cache note about the network, and the client's id that they share.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { clientId } from '../../src/download/client-id.ts';
import { NetworkMemory } from '../../src/download/network-memory.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

test('what a process with the same number, in another namespace, is just writing is left alone', (t) => {
  const directory = temporaryDirectory(t);
  const others = ['network.x.json', 'uuid'].map((name) => `${name}.${process.pid}`);
  for (const name of others) writeFileSync(join(directory, name), 'half of');
  const memory = new NetworkMemory(directory, 'x');
  memory.note('proxies', 'who?', 'http://a:1');
  const id = clientId(directory);
  for (const name of others) t.is(readFileSync(join(directory, name), 'utf8'), 'half of', name);
  t.deepEqual(readdirSync(directory).sort(), [...others, 'network.x.json', 'uuid'].sort());
  t.is(clientId(directory), id);
  t.is(new NetworkMemory(directory, 'x').recall('proxies', 'who?')?.answer, 'http://a:1');
});

test('one notes beside another, and what is no note is none', (t) => {
  const directory = temporaryDirectory(t);
  const [one, other] = [new NetworkMemory(directory, 'x'), new NetworkMemory(directory, 'x')];
  one.note('proxies', 'p?', 'http://a:1');
  other.note('order', 'o?', { servers: ['http://s'], fallback: [0] });
  const third = new NetworkMemory(directory, 'x');
  t.is(third.recall('proxies', 'p?')?.answer, 'http://a:1');
  t.deepEqual(third.recall('order', 'o?')?.answer, { servers: ['http://s'], fallback: [0] });
  t.is(third.recall('proxies', 'another?'), undefined);
  for (const text of ['', '{', 'null', '[]', '{"proxies":{"question":"p?","time":1,"answer":7}}']) {
    writeFileSync(join(directory, 'network.x.json'), text);
    t.is(new NetworkMemory(directory, 'x').recall('proxies', 'p?'), undefined, text);
  }
});
