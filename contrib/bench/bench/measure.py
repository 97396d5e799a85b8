"""What a system costs: CPU time and memory of its processes and all their children."""

import os
import threading

TICKS = os.sysconf("SC_CLK_TCK")


class Figures:
    """Of the process trees below `roots`, now."""

    def __init__(self, roots):
        stats = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat") as file:
                        text = file.read()
                except OSError:
                    continue
                # After the command's name, which may hold anything: state, parent, …, utime, stime, cutime, cstime.
                fields = text[text.rindex(")") + 2:].split()
                stats[int(name)] = (int(fields[1]), sum(map(int, fields[11:15])))
        found, known = set(), set(roots)
        while known - found:
            found |= known
            known |= {process for process, (parent, _) in stats.items() if parent in found}
        self.processes = found & set(stats)
        self.cpu = sum(stats[process][1] for process in self.processes) / TICKS

    def memory(self):
        """Proportional memory (PSS), in KiB: what several processes share counts once."""
        total = 0
        for process in self.processes:
            try:
                with open(f"/proc/{process}/smaps_rollup") as file:
                    total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
            except (OSError, StopIteration):
                pass
        return total


class Meter:
    """Measures while entered."""

    def __init__(self, roots, period=0.25):
        self.roots, self.period = roots, period

    def __enter__(self):
        figures = Figures(self.roots)
        self.before, self.idle_memory = figures.cpu, figures.memory()
        self.peak_memory = self.idle_memory
        self.done = threading.Event()
        self.sampler = threading.Thread(target=self.sample)
        self.sampler.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.sampler.join()
        self.look()
        self.cpu = Figures(self.roots).cpu - self.before

    def sample(self):
        while not self.done.wait(self.period):
            self.look()

    def look(self):
        self.peak_memory = max(self.peak_memory, Figures(self.roots).memory())


def percentile(values, share):
    """The value below which that share lies (nearest rank); None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
