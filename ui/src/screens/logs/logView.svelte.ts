/** How logs are drawn: the same wish for all of them, until the window is closed. */
class LogView {
  wrap = $state(false);
  times = $state(true);
}

export const logView = new LogView();
