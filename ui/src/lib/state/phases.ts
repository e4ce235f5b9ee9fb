import type { StatusTone } from '$lib/components/tone';
import type { Cluster, Session } from '$lib/backend/types';

interface Shown {
  tone: StatusTone;
  word: string;
}

/** A cluster's state, in a shape and a word; undefined: it was not picked. */
export function clusterStatus(cluster: Cluster | undefined): Shown {
  if (!cluster) return { tone: 'neutral', word: 'Not connected' };
  switch (cluster.phase.phase) {
    case 'connecting':
      return { tone: 'busy', word: cluster.phase.plugin ? 'Authenticating' : 'Connecting' };
    case 'connected':
      return { tone: 'good', word: 'Connected' };
    case 'unreachable':
      return { tone: 'warning', word: 'Unreachable' };
    case 'failed':
      return { tone: 'bad', word: 'Failed' };
  }
}

/** A session's state, in a shape and a word. */
export function sessionStatus(session: Session): Shown {
  switch (session.phase.phase) {
    case 'connecting':
      return { tone: 'busy', word: 'Connecting' };
    case 'connected':
      return session.attention
        ? { tone: 'warning', word: 'Attention' }
        : { tone: 'good', word: 'Connected' };
    case 'reconnecting':
      return { tone: 'warning', word: 'Reconnecting' };
    case 'lapsed':
      return { tone: 'bad', word: 'Lapsed' };
    case 'stopping':
      return { tone: 'busy', word: 'Stopping' };
    case 'ended':
      return session.phase.tone === 'bad'
        ? { tone: 'bad', word: 'Failed' }
        : { tone: session.phase.tone === 'warning' ? 'warning' : 'neutral', word: 'Ended' };
  }
}

/** Whether a session still holds its workload. */
export function isOpen(session: Session): boolean {
  return session.phase.phase !== 'ended';
}
