// @vitest-environment jsdom
import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { install, type Backend } from '$lib/backend';
import { ordersRequest } from '$lib/backend/fake/data/request';
import type { ProjectFile } from '$lib/backend/types';
import { Draft } from './draft.svelte';
import { directoryOf, fileName, given } from './project.svelte';

const FILE = '/home/mara/src/orders/towline.yaml';
const readProject = vi.fn<Backend['readProject']>();
const findProject = vi.fn<Backend['findProject']>();

beforeEach(() => {
  vi.useFakeTimers();
  readProject.mockReset().mockImplementation(async (file, request) => ({
    file,
    request: { ...request, namespace: 'bank', leaseSeconds: 60, project: file },
    gives: ['namespace', 'leaseSeconds'],
    variables: [{ name: 'A', value: '1' }],
    envFile: null,
    timeoutSeconds: 90,
    warnings: [],
  }));
  findProject.mockReset().mockResolvedValue(FILE);
  install({ readProject, findProject } as unknown as Backend);
});

afterEach(() => vi.useRealTimers());

test('what a file gives is in the form, and is told from what was changed since', async () => {
  const draft = new Draft(ordersRequest);
  await draft.project.use(FILE);
  expect(draft.request).toMatchObject({ namespace: 'bank', leaseSeconds: 60, project: FILE });
  expect(draft.project.mark('namespace')).toBe('from towline.yaml');
  expect(draft.project.mark('target')).toBeNull();
  draft.request.namespace = 'shop';
  expect(draft.project.mark('namespace')).toBe('unlike towline.yaml');
  draft.project.drop();
  expect(draft.request.project).toBeNull();
  expect(draft.project.mark('leaseSeconds')).toBeNull();
  expect(draft.request.leaseSeconds).toBe(60);
});

test('a form that was filled in before keeps what was changed', async () => {
  const draft = new Draft({ ...ordersRequest, project: FILE });
  await draft.project.look();
  expect(draft.request.namespace).toBe('shop');
  expect(draft.project.mark('namespace')).toBe('unlike towline.yaml');
});

test('a file that makes no sense keeps the form from being complete', async () => {
  const wrong = { code: 'input', message: 'line 4, column 1', hint: null, detail: null };
  readProject.mockRejectedValueOnce(wrong);
  const draft = new Draft(ordersRequest);
  await draft.project.use(FILE);
  expect(draft.project.state).toBe('failed');
  expect(draft.state).toBe('incomplete');
  await draft.project.use(FILE);
  expect(draft.project.problem).toBeNull();
});

test('the answer to an earlier question is thrown away', async () => {
  let answer!: (file: ProjectFile) => void;
  readProject.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  const draft = new Draft(ordersRequest);
  const first = draft.project.use('/slow/towline.yaml');
  draft.project.drop();
  answer(await readProject('/slow/towline.yaml', ordersRequest));
  await first;
  expect(draft.request).toEqual(ordersRequest);
  expect(draft.project.file).toBeNull();
});

test('a file is looked for where the program lives, as long as none is used', async () => {
  const draft = new Draft(ordersRequest);
  const stop = $effect.root(() => {
    $effect(() => draft.project.seek());
  });
  flushSync();
  await vi.advanceTimersByTimeAsync(300);
  expect(findProject).toHaveBeenLastCalledWith('/home/mara/src/orders');
  expect(draft.project.found).toBe(FILE);
  await draft.project.use(FILE);
  flushSync();
  expect(draft.project.found).toBeNull();
  draft.project.drop();
  findProject.mockRejectedValueOnce({ code: 'input', message: 'another user', hint: null });
  flushSync();
  await vi.advanceTimersByTimeAsync(300);
  expect(draft.project.found).toBeNull();
  stop();
});

test('ports of a host that is there come together', () => {
  const draft = new Draft(ordersRequest);
  draft.addHost({ name: 'db.example.com', ports: [5432] });
  draft.addHost({ name: 'db.example.com', ports: [5432, 5433] });
  expect(draft.request.externalHosts).toEqual([{ name: 'db.example.com', ports: [5432, 5433] }]);
  draft.removeHost('db.example.com');
  expect(draft.request.externalHosts).toEqual([]);
});

test('paths and what a file gives, in words', async () => {
  expect([fileName(FILE), directoryOf(FILE)]).toEqual(['towline.yaml', '/home/mara/src/orders']);
  expect(directoryOf('/towline.yaml')).toBe('/');
  const file = await readProject(FILE, ordersRequest);
  expect(given(file)).toBe('Gives namespace, lease, timeout of 90 s, 1 variable.');
  const empty = { ...file, gives: [], variables: [], timeoutSeconds: null };
  expect(given(empty)).toBe('It says nothing.');
});
