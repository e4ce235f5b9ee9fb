import { beforeEach, expect, test } from 'vitest';
import { asked } from './asked';
import { router } from './router.svelte';
import { toasts } from './toasts.svelte';

const lost = { tone: 'bad', title: 'Session lost', message: 'orders is lost.' } as const;

beforeEach(() => {
  toasts.items = [];
  router.go({ screen: 'clusters' });
});

test('a notice leads to its session', () => {
  asked.notice({ ...lost, session: '7' });
  expect(toasts.items).toMatchObject([{ word: 'Session lost', action: { label: 'Open' } }]);
  toasts.act(toasts.items[0]?.id ?? -1);
  expect(router.at).toEqual({ screen: 'session', id: '7' });
});

test('on its session’s page it would say what stands there', () => {
  router.go({ screen: 'session', id: '7' });
  asked.notice({ ...lost, session: '7' });
  expect(toasts.items).toEqual([]);
  asked.notice({ ...lost, session: '8' });
  asked.notice({ ...lost, session: null });
  expect(toasts.items).toHaveLength(2);
});
