import type { Session } from '$lib/backend/types';
import type { StatusTone } from '$lib/components/tone';
import { formatAgo, formatSpan } from '$lib/format/time';
import { localAddress } from './address';

export interface ProgramStatus {
  tone: StatusTone;
  word: string;
  /** What else there is to know of it. */
  note: string;
}

/** The local program's state, in a shape, a word and a note. */
export function programStatus(session: Session, now: number): ProgramStatus {
  const { program } = session;
  switch (program.state) {
    case 'byUser': {
      const address = localAddress(session);
      const note = address ? `expected on ${address}` : '';
      return { tone: 'neutral', word: 'You start the program', note };
    }
    case 'waiting':
      return { tone: 'neutral', word: 'Not started', note: waiting(session) };
    case 'running':
      return {
        tone: 'good',
        word: 'Running',
        note: `process ${program.pid} · ${formatSpan(now - program.since)}`,
      };
    case 'ending':
      return { tone: 'busy', word: 'Ending', note: `process ${program.pid}` };
    case 'exited':
      return {
        tone: program.well ? 'neutral' : 'bad',
        word: program.well ? 'Ended' : 'Ended badly',
        note: `${program.how} · ${formatAgo(program.at, now)}`,
      };
    case 'failed':
      return { tone: 'bad', word: 'Not started', note: '' };
  }
}

function waiting(session: Session): string {
  return session.phase.phase === 'connecting' ? 'starts when the session is connected' : '';
}
