import type { DiagnosticCheck, Leftover } from '../../types';
import type { World } from '../world';

const HERE = 'This machine';

function check(
  id: string,
  group: string,
  title: string,
  tone: DiagnosticCheck['tone'],
  message: string,
  more: Partial<DiagnosticCheck> = {},
): DiagnosticCheck {
  return { id, group, title, tone, message, fix: null, action: null, ...more };
}

export function goodChecks(): DiagnosticCheck[] {
  return [
    check('kubeconfig', HERE, 'Kubeconfig', 'good', '2 files, 3 contexts.'),
    check(
      'plugins',
      HERE,
      'Exec plugins',
      'good',
      'gke-gcloud-auth-plugin is /usr/bin/gke-gcloud-auth-plugin.',
    ),
    check('path', HERE, 'Search path', 'good', 'Taken over from the login shell (bash) in 38 ms.'),
    check('hosts', HERE, 'Hosts file', 'good', 'No session has lines in /etc/hosts.'),
    check('helper', HERE, 'Helper', 'good', '/usr/lib/towline/towline-helper; not running.'),
    check('leftovers', HERE, 'Leftovers', 'good', 'Nothing is left of earlier sessions.'),
    check('logs', HERE, 'Log files', 'good', '3 files, 1.2 MiB, in /tmp/Towline.'),
    check('api-latency:sandbox', 'sandbox', 'API server', 'good', 'v1.20.2 answers in 4 ms.'),
    check('rights:sandbox', 'sandbox', 'Rights', 'good', 'All that a session needs, in shop.'),
    check(
      'agent:sandbox',
      'sandbox',
      'Agent’s image',
      'neutral',
      'towline.local/agent:0.1.0; the cluster has not pulled it yet.',
    ),
  ];
}

/** The checks of a machine on which much is wrong. */
export function badChecks(leftover: string, hostsRepaired = false): DiagnosticCheck[] {
  const hosts = hostsRepaired
    ? check('hosts', HERE, 'Hosts file', 'good', 'No session has lines in /etc/hosts.')
    : check(
        'hosts',
        HERE,
        'Hosts file',
        'warning',
        '/etc/hosts has 4 lines of a session that is no more.',
        {
          fix: 'Repair takes them out; the system asks for administrator rights.',
          action: { action: 'repairHosts' },
        },
      );
  return [
    hosts,
    check('helper', HERE, 'Helper', 'bad', 'There is no towline-helper beside the program.', {
      fix: 'Install the package again, or use the mode without administrator rights.',
    }),
    check(
      'kubeconfig',
      HERE,
      'Kubeconfig',
      'warning',
      '/home/mara/.kube/staging.yaml cannot be used: line 14: did not find expected key.',
      {
        fix: 'Mend the file, or take it off the list in the settings. The contexts of the other file can be used.',
        action: { action: 'openSettings' },
      },
    ),
    check(
      'plugins',
      HERE,
      'Exec plugins',
      'bad',
      'gke-gcloud-auth-plugin, which staging needs, is not on the search path.',
      {
        fix: 'Install it. Looked in /home/mara/.local/bin, /usr/local/bin, /usr/bin, /bin.',
      },
    ),
    check(
      'path',
      HERE,
      'Search path',
      'warning',
      'The login shell (zsh) did not answer within 5 s; the desktop’s own path is used.',
      {
        fix: 'Look for what waits for input in ~/.zprofile.',
      },
    ),
    check(
      'leftovers',
      HERE,
      'Leftovers',
      'bad',
      'deployment/orders in shop (sandbox) still has the agent of a session from yesterday.',
      {
        fix: 'Repair puts it back to what it was.',
        action: { action: 'repair', leftover },
      },
    ),
    check(
      'api-latency:production',
      'production',
      'API server',
      'bad',
      'https://k8s.example.com does not answer: connection timed out after 10 s.',
      {
        fix: 'Check the network or the VPN, then connect again.',
        action: { action: 'connectCluster', context: 'production' },
      },
    ),
    check(
      'api-latency:sandbox',
      'sandbox',
      'API server',
      'warning',
      'v1.20.2 answers in 412 ms; up to 100 ms is usual.',
      {
        fix: 'Sessions work, connections are slow to open.',
      },
    ),
    check(
      'rights:sandbox',
      'sandbox',
      'Rights',
      'warning',
      'You may not create jobs.batch in shop: nobody restores if this machine goes away.',
      {
        fix: 'Ask for the role that “towline rbac” prints.',
      },
    ),
  ];
}

export function leftover(world: World): Leftover {
  return {
    id: '9d01c4',
    context: 'sandbox',
    namespace: 'shop',
    workload: 'deployment/orders',
    user: null,
    host: null,
    started: world.ago(26 * 3600),
    message: 'The agent is still in place; this machine’s last run did not end well.',
    repairing: false,
  };
}

export const REPORT = `# Towline 0.1.0 on linux
contexts: 3 (names left out)
## Checks
- kubeconfig: good
- plugins: good
## Log, the last 200 lines
2026-11-26T14:03:09Z INFO session 4c19e7 connected
`;
