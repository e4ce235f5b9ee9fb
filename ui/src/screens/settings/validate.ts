import type { Preferences } from '$lib/backend/types';
import { formatCount } from '$lib/format/bytes';

export const LEASE_LEAST = 5;
export const LEASE_MOST = 3600;

/** What is wrong with a draft, by the name of its field; `image staging` is the image of the context staging. */
export type Problems = Record<string, string>;

/** The lease as it was typed, in seconds; null: it is not one. */
export function parseLease(text: string): number | null {
  if (!/^\d+$/.test(text.trim())) return null;
  const seconds = Number(text.trim());
  return seconds >= LEASE_LEAST && seconds <= LEASE_MOST ? seconds : null;
}

/** A name of a Kubernetes object, as RFC 1123 has it for subdomains. */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export function validate(preferences: Preferences, lease: string): Problems {
  const problems: Problems = {};
  if (parseLease(lease) === null) {
    problems.lease = `Give whole seconds, from ${LEASE_LEAST} to ${formatCount(LEASE_MOST)}.`;
  }
  for (const { context, agentImage, pullSecret } of preferences.contexts) {
    if (agentImage && /\s/.test(agentImage)) {
      problems[`image ${context}`] = 'An image’s reference has no blanks.';
    }
    if (pullSecret && !(OBJECT_NAME.test(pullSecret) && pullSecret.length <= 253)) {
      problems[`secret ${context}`] =
        'A secret’s name has small letters, digits, “-” and “.” only.';
    }
  }
  return problems;
}

/** As it is saved: no blanks around, nothing for contexts that say nothing. */
export function tidy(preferences: Preferences, lease: string): Preferences {
  const text = (value: string | null) => value?.trim() || null;
  return {
    ...preferences,
    leaseSeconds: parseLease(lease) ?? preferences.leaseSeconds,
    contexts: preferences.contexts
      .map(({ context, agentImage, pullSecret }) => ({
        context,
        agentImage: text(agentImage),
        pullSecret: text(pullSecret),
      }))
      .filter(({ agentImage, pullSecret }) => agentImage !== null || pullSecret !== null),
  };
}

/** The list with one thing moved by a place, up (-1) or down (1). */
export function moved<T>(list: T[], index: number, by: -1 | 1): T[] {
  const item = list[index];
  const other = list[index + by];
  if (item === undefined || other === undefined) return list;
  return list.with(index, other).with(index + by, item);
}
