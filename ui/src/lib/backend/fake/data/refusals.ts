import type { Report } from '../../types';

export const unreachable: Report = {
  code: 'unreachable',
  message: 'The API server at https://127.0.0.1:6443 does not answer.',
  hint: 'Is the cluster running, and the VPN up? Towline tries again by itself.',
  detail: 'error trying to connect: tcp connect error: Connection refused (os error 111)',
};

export function forbidden(resource: string, where: string): Report {
  return {
    code: 'forbidden',
    message: `You may not list ${resource} ${where}.`,
    hint: 'Type a namespace in which you have rights, or ask for the role that “towline rbac” prints.',
    detail: `${resource} is forbidden: User "mara" cannot list resource "${resource}" in API group "" ${where}`,
  };
}

export const pluginFailed: Report = {
  code: 'exec_plugin',
  message: 'gke-gcloud-auth-plugin, which gives the credentials of staging, was not found.',
  hint: 'Install it, or put its directory on the PATH of your login shell.',
  detail: 'searched: /usr/local/bin, /usr/bin, /bin',
};
