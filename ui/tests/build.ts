import { execFileSync } from 'node:child_process';
import { OUT } from './serve';

/** Builds the window with the fake backend, once before all tests. */
export default function build(): void {
  execFileSync('npx', ['vite', 'build', '--mode', 'fake', '--outDir', OUT, '--logLevel', 'warn'], {
    stdio: 'inherit',
  });
}
