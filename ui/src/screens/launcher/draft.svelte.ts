import { SvelteMap } from 'svelte/reactivity';
import { backend } from '$lib/backend';
import type { ExternalHost, LaunchRequest, Plan, Report } from '$lib/backend/types';
import { asReport } from '$lib/components/report';
import { incomplete, parsePort } from '$lib/state/launch';
import { ProjectUse } from './project.svelte';

/** Milliseconds without a keystroke before the plan is read again. */
const REST = 300;

/** The launcher's form and the plan that was read for it. */
export class Draft {
  request = $state({} as LaunchRequest);
  plan = $state.raw<Plan | null>(null);
  /** Why the plan could not be read. */
  failed = $state.raw<Report | null>(null);
  /** Why the session could not be begun. */
  refused = $state.raw<Report | null>(null);
  connecting = $state(false);
  /** Whether the user is being told what administrator rights are for. */
  asking = $state(false);
  /** Local ports as they were typed, where they are no ports. */
  readonly wrongPorts = new SvelteMap<number, string>();
  readonly project = new ProjectUse(this);

  /** The form that `plan` or `failed` answers. */
  #answered = $state('');
  #reading = 0;

  constructor(request: LaunchRequest) {
    this.request = structuredClone(request);
    if (this.request.program.start === 'command') {
      this.#line = this.request.program.line;
      this.#directory = this.request.program.directory;
    }
  }

  readonly #written = $derived(JSON.stringify(this.request));

  /** What is missing in the form, in a sentence. */
  readonly missing = $derived.by(() => {
    if (this.project.problem) return 'The project file cannot be used as it is.';
    if (this.wrongPorts.size > 0) return 'A port is a whole number from 1 to 65,535.';
    return incomplete(this.request);
  });

  readonly state = $derived.by(() => {
    if (this.missing !== null) return 'incomplete';
    if (this.#answered !== this.#written) return 'reading';
    if (this.failed) return 'failed';
    return this.plan?.ready ? 'ready' : 'blocked';
  });

  /** Reads the plan a moment after the form has changed; for an effect, gives its end. */
  follow(): (() => void) | undefined {
    const written = this.#written;
    if (this.missing !== null || written === this.#answered) return undefined;
    const first = this.#answered === '';
    const timer = setTimeout(() => void this.#read(written), first ? 0 : REST);
    return () => clearTimeout(timer);
  }

  /** The cluster may have changed since. */
  readAgain(): void {
    this.refused = null;
    // The effect that follows the form reads it.
    this.#answered = ' ';
  }

  async #read(written: string): Promise<void> {
    const reading = ++this.#reading;
    try {
      const plan = await backend.plan(JSON.parse(written) as LaunchRequest);
      if (reading !== this.#reading) return;
      this.plan = plan;
      this.failed = null;
    } catch (thrown) {
      if (reading !== this.#reading) return;
      this.failed = asReport(thrown);
    }
    this.refused = null;
    this.#answered = written;
  }

  /**
   * Begins the session; gives its id, or null where it was refused. Where the system is going to ask for rights, the user is told before what
   * they are for.
   */
  async connect(rights: 'explain' | 'explained' = 'explained'): Promise<string | null> {
    if (this.state !== 'ready' || !this.plan || this.connecting) return null;
    if (this.plan.rights?.asks && rights === 'explain') {
      this.asking = true;
      return null;
    }
    this.asking = false;
    this.connecting = true;
    this.refused = null;
    try {
      return await backend.connect(this.plan.id);
    } catch (thrown) {
      this.refused = asReport(thrown);
      return null;
    } finally {
      this.connecting = false;
    }
  }

  // ── The form ─────────────────────────────────────────────────────────────────────────────────

  #line = '';
  #directory: string | null = null;

  /** The mode that needs no administrator rights; the plan is read anew for it. */
  withoutRights(): void {
    this.refused = null;
    this.request.mode = 'noAdministrator';
  }

  /** Leaves services out, as `catalogue.shop`. */
  leaveOut(services: string[]): void {
    const more = services.filter((service) => !this.request.exclude.includes(service));
    this.request.exclude.push(...more);
  }

  /** Ports of a host that is there already come to those that it has. */
  addHost({ name, ports }: ExternalHost): void {
    const hosts = this.request.externalHosts;
    const known = hosts.find((host) => host.name === name);
    if (!known) hosts.push({ name, ports });
    else known.ports.push(...ports.filter((port) => !known.ports.includes(port)));
  }

  removeHost(name: string): void {
    this.request.externalHosts = this.request.externalHosts.filter((host) => host.name !== name);
  }

  /** What was typed stays when the other way is tried. */
  startBy(start: string): void {
    const { program } = this.request;
    if (program.start === 'command') {
      this.#line = program.line;
      this.#directory = program.directory;
    }
    this.request.program =
      start === 'command'
        ? { start: 'command', line: this.#line, directory: this.#directory }
        : { start: 'byUser' };
  }

  /** Sends a container's port to this local port. */
  mapPort(remote: number, name: string | null, typed: string): void {
    const local = parsePort(typed);
    if (local === null) {
      this.wrongPorts.set(remote, typed);
      return;
    }
    this.wrongPorts.delete(remote);
    const others = this.request.ports.filter(
      (port) => port.remote !== String(remote) && port.remote !== name,
    );
    this.request.ports = local === remote ? others : [...others, { remote: String(remote), local }];
  }

  /** The local port of a container's port, as the form has it. */
  localPort(remote: number, name: string | null): number {
    const mapped = this.request.ports.find(
      (port) => port.remote === String(remote) || port.remote === name,
    );
    return mapped?.local ?? remote;
  }
}
