import type { Backend } from '../backend';
import type { LaunchRequest, Plan, Profile, StopHolder, Stopped } from '../types';
import { otherHolder } from './data/holders';
import { commandLine, containersOf, planFor, profileName } from './data/plan';
import type { FakeSessions } from './sessions';
import { refuse, type World } from './world';

type Part = Pick<
  Backend,
  'plan' | 'containers' | 'connect' | 'findHolders' | 'stopHolder' | 'saveProfile' | 'removeProfile'
>;

export class FakeLaunch implements Part {
  /** What a scenario makes of the plan: more checks, or a refusal. */
  amend: (plan: Plan, request: LaunchRequest) => Plan = (plan) => plan;
  /** How `connect` fails, if it does. */
  beforeConnect: (request: LaunchRequest | undefined) => void = () => {};
  /** How stopping a holder comes out. */
  onStop: (stop: StopHolder) => Stopped = ({ port }) => ({
    free: true,
    ended: true,
    message: `Port ${port} is free.`,
  });

  #plans = new Map<string, { plan: Plan; request: LaunchRequest }>();
  #next = 1;

  constructor(
    readonly world: World,
    readonly sessions: FakeSessions,
  ) {
    world.launch = this;
  }

  plan: Backend['plan'] = async (request) => {
    const id = `plan-${this.#next++}`;
    const plan = this.amend(
      { ...planFor(request), id, commandLine: commandLine(request) },
      request,
    );
    this.#plans.set(id, { plan, request });
    return structuredClone(plan);
  };

  containers: Backend['containers'] = async (_context, _namespace, target) => containersOf(target);

  connect: Backend['connect'] = async (planId) => {
    const kept = this.#plans.get(planId);
    this.beforeConnect(kept?.request);
    if (!kept) return refuse('plan_gone', 'The plan is older than 15 minutes.', 'Read it again.');
    this.#remember(kept.request);
    return this.sessions.begin(kept.request, kept.plan);
  };

  findHolders: Backend['findHolders'] = async () => [otherHolder];

  stopHolder: Backend['stopHolder'] = async (stop) => this.onStop(stop);

  saveProfile: Backend['saveProfile'] = async (profile) => {
    const profiles = this.world.app.profiles;
    const index = profiles.findIndex((other) => other.id === profile.id);
    this.#put(index < 0 ? [profile, ...profiles] : profiles.with(index, profile));
  };

  removeProfile: Backend['removeProfile'] = async (id) => {
    this.#put(this.world.app.profiles.filter((profile) => profile.id !== id));
  };

  #remember(request: LaunchRequest): void {
    const same = (profile: Profile) =>
      profile.request.context === request.context &&
      profile.request.namespace === request.namespace &&
      profile.request.target === request.target;
    const known = this.world.app.profiles.find(same);
    const profile: Profile = {
      id: known?.id ?? `profile-${this.#next++}`,
      name: known?.name ?? profileName(request),
      request,
      used: Date.now(),
    };
    this.#put([profile, ...this.world.app.profiles.filter((other) => other.id !== profile.id)]);
  }

  #put(profiles: Profile[]): void {
    this.world.app.profiles = profiles;
    this.world.emit({ kind: 'profiles', profiles });
  }
}
