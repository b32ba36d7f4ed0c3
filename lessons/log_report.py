"""What is printed about the requests of a log: a line for each, and a summary by address."""

from collections import Counter

from files import printed
from lessons.log_judge import BATCH
from lessons.log_verdicts import VERDICTS, verdicts

MOST_ADDRESSES = 50_000  # in the summary, so that a flood of addresses cannot fill the memory


class Summary:
    """Requests and verdicts by address, for at most MOST_ADDRESSES of them."""

    def __init__(self):
        self.requests, self.grey, self.bad = Counter(), Counter(), Counter()

    def add(self, address, verdict):
        address = address[:64]
        self.requests[address] += 1
        if verdict:
            (self.bad if VERDICTS[verdict] == "bad" else self.grey)[address] += 1
        if len(self.requests) > MOST_ADDRESSES:  # forget the half that asked for the least
            self.requests = Counter(dict(self.requests.most_common(MOST_ADDRESSES // 2)))
            for count in (self.grey, self.bad):
                for address in count.keys() - self.requests.keys():
                    del count[address]

    def __str__(self):
        if not self.bad:
            return "No request was called bad." if self.requests else "No request was judged."
        rows = [f"{'address':<39} {'requests':>9} {'grey':>9} {'bad':>9}"]
        for address, bad in self.bad.most_common(20):
            all_of_it, grey = self.requests[address], self.grey[address]
            row = f"{printable(address):<39} {all_of_it:9,} {grey:9,} {bad:9,}"
            rows.append(f"{row} = {bad / all_of_it:.0%}")
        return "\n".join(rows)


def printable(text, most=200):
    """Text that cannot give orders to a terminal, and not too much of it."""
    return printed(text if len(text) <= most else text[: most - 3] + "...")


def batches(entries):
    """Lists of BATCH entries, shorter ones where the log pauses, which an entry None tells."""
    batch = []
    for entry in entries:
        if entry is not None:
            batch.append(entry)
        if len(batch) == BATCH or entry is None:
            yield batch
            batch = []
    yield batch


def judge_log(judge, limits, entries, summary, bans=None):
    """Yield a text for each batch of entries, a line an entry: verdict, probability, request.
    limits as log_verdicts.thresholds returns them; summary and bans take notice."""
    for batch in batches(entries):
        lines, probabilities = [], judge.probabilities(batch)  # (B,)
        found = verdicts(probabilities, limits).tolist()
        for entry, p, verdict in zip(batch, probabilities.tolist(), found, strict=True):
            summary.add(entry.address, verdict)
            if bans:
                bans.add(entry, VERDICTS[verdict] == "bad")
            who, what = printable(entry.address), printable(entry.request)
            lines.append(f"{VERDICTS[verdict]:<4} {p:.3f}  {who:<15}  {what}\n")
        yield "".join(lines)
