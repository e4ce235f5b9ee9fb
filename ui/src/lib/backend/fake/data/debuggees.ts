import type { Debuggee, Debuggees } from '../../types';

/** The processes of `npm run dev`, the server first. */
export function nodeProcesses(pid: number): Debuggees {
  return {
    processes: [
      node(pid + 2, 'node --enable-source-maps dist/server.js', [3000]),
      node(pid, 'npm run dev', []),
    ],
    hindrance: null,
  };
}

function node(pid: number, command: string, ports: number[]): Debuggee {
  const entry = {
    name: 'Attach to orders (Towline)',
    processId: `${pid}`,
    request: 'attach',
    type: 'node',
  };
  return {
    pid,
    command,
    runtime: 'Node.js',
    ports,
    tracedBy: null,
    ways: [
      { tool: 'VS Code', text: JSON.stringify(entry, null, 2) },
      { tool: 'node inspect', text: `node inspect -p ${pid}` },
    ],
    advice: null,
  };
}

/** Processes that a debugger does not simply get into. */
export function guardedProcesses(pid: number): Debuggees {
  const entry = {
    mode: 'local',
    name: 'Attach to orders (Towline)',
    processId: pid,
    request: 'attach',
    type: 'go',
  };
  return {
    processes: [
      {
        pid,
        command: './orders --listen 127.0.0.1:3000',
        runtime: 'Go',
        ports: [3000],
        tracedBy: 41_990,
        ways: [
          { tool: 'VS Code', text: JSON.stringify(entry, null, 2) },
          { tool: 'Delve', text: `dlv attach ${pid}` },
        ],
        advice: null,
      },
      {
        pid: pid + 5,
        command: 'java -jar /home/kim/shop/orders/target/pricing-worker-with-a-long-name-1.0.jar',
        runtime: 'Java',
        ports: [],
        tracedBy: null,
        ways: [],
        advice:
          'This Java machine awaits no debugger. Start it with JAVA_TOOL_OPTIONS=-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:5005, and attach to port 5005.',
      },
    ],
    hindrance: {
      message:
        'This machine lets a process be debugged only by the process that has started it (kernel.yama.ptrace_scope is 1), so a debugger that attaches is refused.',
      command: 'sudo sysctl kernel.yama.ptrace_scope=0',
    },
  };
}
