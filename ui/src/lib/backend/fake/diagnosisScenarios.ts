import { leftover } from './data/diagnosis';
import { kubeconfig, sampleShop } from './sample';
import type { World } from './world';

/** Scenarios of the diagnostics and of the settings. */
export const diagnosisScenarios: Record<string, (world: World) => void> = {
  'diagnosis-bad': (world) => {
    sampleShop(world);
    const other = {
      ...leftover(world),
      id: '77aa10',
      context: 'production',
      workload: 'statefulset/payments',
      user: 'jonas',
      host: 'pier',
      message: 'Its lease has lapsed and no restorer runs.',
    };
    world.app.leftovers = [leftover(world), other];
  },
  'diagnosis-fails': kubeconfig,
  settings: (world) => {
    kubeconfig(world);
    world.app.preferences = {
      ...world.app.preferences,
      kubeconfigFiles: ['/home/mara/.kube/config', '/home/mara/.kube/work.yaml'],
      contexts: [
        {
          context: 'staging',
          agentImage: 'registry.example/tools/towline-agent:0.1.0',
          pullSecret: 'registry',
        },
      ],
    };
  },
  'settings-problem': (world) => {
    kubeconfig(world);
    world.app.preferences = {
      ...world.app.preferences,
      problem:
        '/home/mara/.config/towline/settings.yaml cannot be read: line 3: invalid type: string "soon", expected a number of seconds. The usual settings are in force.',
    };
  },
  'settings-refused': kubeconfig,
};
