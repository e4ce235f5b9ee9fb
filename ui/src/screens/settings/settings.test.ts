import { beforeEach, describe, expect, test } from 'vitest';
import { install } from '$lib/backend';
import { preferences } from '$lib/backend/fake/data/app';
import { createFake } from '$lib/backend/fake';
import { draft } from './draft.svelte';
import { moved, parseLease, tidy, validate } from './validate';

describe('the lease', () => {
  test.each([
    ['5', 5],
    [' 3600 ', 3600],
    ['4', null],
    ['3601', null],
    ['12.5', null],
    ['-20', null],
    ['', null],
    ['soon', null],
    ['1e2', null],
  ])('%j is %j', (text, seconds) => expect(parseLease(text)).toBe(seconds));
});

test('what is wrong is told by field', () => {
  const contexts = [{ context: 'staging', agentImage: 'a b', pullSecret: 'Not_A_Name' }];
  expect(Object.keys(validate({ ...preferences(), contexts }, '1'))).toEqual([
    'lease',
    'image staging',
    'secret staging',
  ]);
  const good = [{ context: 'staging', agentImage: 'r.example/a:1', pullSecret: 'regcred.v2' }];
  expect(validate({ ...preferences(), contexts: good }, '60')).toEqual({});
});

test('what says nothing is not saved', () => {
  const contexts = [
    { context: 'a', agentImage: '  ', pullSecret: null },
    { context: 'b', agentImage: ' image ', pullSecret: '' },
  ];
  expect(tidy({ ...preferences(), contexts }, '60')).toMatchObject({
    leaseSeconds: 60,
    contexts: [{ context: 'b', agentImage: 'image', pullSecret: null }],
  });
});

test('files are moved by one place, and not beyond the ends', () => {
  expect(moved(['a', 'b', 'c'], 1, -1)).toEqual(['b', 'a', 'c']);
  expect(moved(['a', 'b', 'c'], 1, 1)).toEqual(['a', 'c', 'b']);
  expect(moved(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
  expect(moved(['a', 'b'], 1, 1)).toEqual(['a', 'b']);
});

describe('the draft', () => {
  beforeEach(() => {
    draft.value = null;
    draft.follow(preferences());
    draft.revert();
    draft.follow(preferences());
  });

  test('is unchanged until something is edited', () => {
    expect(draft.changed).toBe(false);
    draft.lease = '60';
    expect(draft.changed).toBe(true);
    draft.revert();
    expect(draft.changed).toBe(false);
    expect(draft.lease).toBe('120');
  });

  test('keeps what was edited when the settings change elsewhere', () => {
    draft.lease = '60';
    draft.follow({ ...preferences(), logLevel: 'debug' });
    expect(draft.lease).toBe('60');
    // Saving must not undo it.
    expect(draft.value?.logLevel).toBe('debug');
    draft.revert();
    expect(draft.lease).toBe('120');
  });

  test('follows the settings where nothing was edited', () => {
    draft.follow({ ...preferences(), logLevel: 'debug' });
    expect(draft.value?.logLevel).toBe('debug');
    expect(draft.changed).toBe(false);
  });

  test('saves what is right', async () => {
    const fake = createFake('idle');
    install(fake);
    draft.lease = '45';
    await draft.save();
    expect(fake.world.app.preferences.leaseSeconds).toBe(45);
    expect(draft.saved).toBe(true);
    expect(draft.changed).toBe(false);
  });

  test('does not save what is wrong', async () => {
    const fake = createFake('idle');
    install(fake);
    draft.lease = '1';
    await draft.save();
    expect(fake.world.app.preferences.leaseSeconds).toBe(120);
    expect(draft.saved).toBe(false);
  });

  test('tells why it was not saved, and keeps what was edited', async () => {
    install(createFake('settings-refused'));
    draft.lease = '45';
    await draft.save();
    expect(draft.failed?.code).toBe('settings');
    expect(draft.lease).toBe('45');
    expect(draft.changed).toBe(true);
  });

  test('no file twice', () => {
    draft.addFile('/a');
    draft.addFile('/a');
    expect(draft.value?.kubeconfigFiles).toEqual(['/a']);
  });
});
