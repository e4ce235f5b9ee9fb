import { expect, test, vi } from 'vitest';
import { createFake } from './fake';

const invoke = vi.fn(async () => null);
vi.mock('@tauri-apps/api/core', () => ({ invoke, Channel: vi.fn() }));

test('each method is the command of its name, with named arguments', async () => {
  const { tauri } = await import('./tauri');
  await tauri.connectCluster('sandbox', ['shop']);
  expect(invoke).toHaveBeenLastCalledWith('connect_cluster', {
    context: 'sandbox',
    namespaces: ['shop'],
  });
  await tauri.connect('plan-1');
  expect(invoke).toHaveBeenLastCalledWith('connect', { planId: 'plan-1' });
  await tauri.subscribe(() => {});
  expect(invoke).toHaveBeenLastCalledWith('subscribe', { frames: expect.anything() });
});

test('the application and the fake know the same methods', async () => {
  const { tauri } = await import('./tauri');
  const methods = Object.keys(createFake('idle')).filter((name) => name !== 'world');
  expect(methods.sort()).toEqual(Object.keys(tauri).sort());
});
