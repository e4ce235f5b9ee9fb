/** What lies over the screens. */
class Shell {
  /** The command palette is open. */
  palette = $state(false);
  /** The sessions that quitting would stop; null: nobody asked to quit. */
  quitting = $state.raw<string[] | null>(null);
  /** The list of leftovers is open. */
  leftovers = $state(false);
}

export const shell = new Shell();
