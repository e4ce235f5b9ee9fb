// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import { otherHolder } from '$lib/backend/fake/data/holders';
import HolderLine from './HolderLine.svelte';
import StopHolder from './StopHolder.svelte';

afterEach(cleanup);

const port = { address: '127.0.0.1', port: 631, remote: null, wantedBy: [], holders: [] };

function dialog(unit: string): string {
  const nothing = () => {};
  const holder = { ...otherHolder, unit };
  render(StopHolder, { port, holder, onclose: nothing, onstopped: nothing });
  return document.body.textContent.replace(/\s+/g, ' ');
}

test.each([
  ['cups.socket', 'socket'],
  ['nginx.service', 'service'],
])('%s is called a %s', (unit, kind) => {
  const { container } = render(HolderLine, { holder: { ...otherHolder, unit } });
  expect(container.textContent.replace(/\s+/g, ' ')).toContain(`, ${kind} ${unit}`);
});

test('what is stopped is a socket or a service', () => {
  const socket = dialog('cups.socket');
  expect(socket).toContain('Stop the socket cups.socket?');
  expect(socket).not.toContain('service');
  cleanup();
  expect(dialog('nginx.service')).toContain('Stop the service nginx.service?');
});
