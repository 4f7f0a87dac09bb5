"""What any backend in Python needs of protocols/README.md: the wire, and the rules that are the same everywhere.

Copy this file beside your own, write a class with the operations, and end with haul.run(YourClass).
"""
import errno, hashlib, json, os, re, sys, time, zlib
from concurrent.futures import ThreadPoolExecutor
from stat import S_ISDIR, S_ISREG

# What a system call's error means to a job, by the table of classes; any other is `unknown`, and tried again.
CLASSES = {
    "not_found": "ENOENT", "exists": "EEXIST", "not_empty": "ENOTEMPTY", "permission": "EACCES EPERM EROFS EXDEV",
    "no_space": "ENOSPC EDQUOT EFBIG", "invalid": "ENOTDIR EISDIR EINVAL ELOOP ENAMETOOLONG", "busy": "EBUSY EMFILE",
}
# Names that no job can say: control characters, and what is not UTF-8, which Python reads as surrogates.
UNSAYABLE = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")


class Failed(Exception):
    """Ends an element: Failed(class, reason)."""


def split(path):
    """The names of a path that begins at the root or, relative or with ~, at the login's home."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    names = names[1:] if names[:1] == ["~"] and not path.startswith("/") else names
    if ".." in names:
        raise Failed("invalid", f"{path} holds ..")
    return names


def shown(name):
    """A name as a reason can show it: what no job can say as its bytes, \\xe9."""
    return UNSAYABLE.sub(lambda bad: "".join(f"\\x{byte:02x}" for byte in os.fsencode(bad[0])), name)


class Adler32:
    """The one checksum of the contract that hashlib does not have."""

    def __init__(self):
        self.sum = 1

    def update(self, data):
        self.sum = zlib.adler32(data, self.sum)

    def hexdigest(self):
        return f"{self.sum:08x}"


class Element:
    """One piece of work: what its line says, and where to tell how it goes."""

    def __init__(self, message, options):
        self.id, self.source, self.destination = message["id"], message["source"], message.get("destination")
        self.attempt, self.part_seed, self.options = message["attempt"], message["part_seed"], options
        self.checksum = message.get("checksum", "").lower()
        self.algorithm = self.checksum.partition(":")[0] or options.get("checksum_algorithm") or "md5"
        self.compares = bool(self.checksum) or options["verify"] == "checksum"
        self.cancelled, self.told = False, 0

    def say(self, kind, **more):
        """Writes a line in one piece: elements run in threads, and one write is atomic among them."""
        line = json.dumps({"type": kind, "id": self.id, **more}) + "\n"
        sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()

    def check(self):
        """Ends the element where it was cancelled; a cancel has to be answered within 5 seconds."""
        if self.cancelled:
            raise Failed("interrupted", "cancelled")

    def progress(self, transferred, total):
        self.check()
        if time.monotonic() > self.told + 0.2:
            self.say("progress", transferred=transferred, total=total)
            self.told = time.monotonic()

    def part_name(self, source):
        """The part file's name: the same for every attempt, as long as the source (a stat) is the same."""
        seed = f"{self.part_seed}\n{source.st_size}\n{source.st_mtime_ns // 10**9}"
        return ".haul-part-" + hashlib.sha256(seed.encode()).hexdigest()[:16]

    def read(self, path, copy=None):
        """Reads a file, maybe into another that is open, with progress; returns the content's checksum."""
        digest = Adler32() if self.algorithm == "adler32" else hashlib.new(self.algorithm)
        rate, began = self.options.get("bandwidth"), time.monotonic()
        with open(path, "rb") as file:
            while piece := file.read(min(1 << 20, rate // 4) if rate and copy else 1 << 20):
                if rate and copy:
                    time.sleep(max(0, began + file.tell() / rate - time.monotonic()))
                digest.update(piece)
                if copy:
                    copy.write(piece)
                self.progress(file.tell(), os.fstat(file.fileno()).st_size)
        return f"{self.algorithm}:{digest.hexdigest()}"

    def needs_copy(self, source, target, is_equal):
        """Points 1 to 3 of "copy, get, put", from what stat says of both ends; is_equal() compares content."""
        if not S_ISREG(source.st_mode):
            raise Failed("invalid", f"{self.source} is no regular file")
        if target and not S_ISREG(target.st_mode):
            raise Failed("exists", f"{self.destination} is there and is no regular file")
        if self.algorithm not in ("md5", "adler32", "sha1", "sha256", "sha512"):
            raise Failed("invalid", f"{self.algorithm} is a checksum of a kind that is not known here")
        sync = self.options.get("sync", False)
        if not target or self.options["overwrite"] == "always":
            return True
        other_time = source.st_mtime_ns // 10**9 != target.st_mtime_ns // 10**9
        same = source.st_size == target.st_size and not (sync and other_time)
        if same and (not self.compares or is_equal()):
            self.say("log", text=f"{self.destination} is there already, and equal")
            return False
        if self.options["overwrite"] == "never" and not sync:
            raise Failed("exists", f"{self.destination} is there and differs")
        return True

    def verify(self, source, now, part, expected, checksum):
        """Points 6 and 8, from what stat said of the source, before and after, and of the part; checksum() reads it."""
        if (now.st_size, now.st_mtime_ns) != (source.st_size, source.st_mtime_ns):
            raise Failed("busy", f"{self.source} was changed while it was copied")
        if self.options["verify"] != "none" and part.st_size != source.st_size:
            raise Failed("checksum", f"{part.st_size} bytes arrived, not {source.st_size}")
        if self.compares and (arrived := checksum()) != expected:
            raise Failed("checksum", f"{arrived} arrived, not {expected}")
        return expected

    def needs_rename(self, source, target, same):
        """What "rename" says, from what lstat says of both ends. same: both paths are one."""
        if target and not source and self.attempt > 1:
            return self.say("log", text=f"{self.destination} is there: an earlier attempt renamed it")
        if not source:
            raise Failed("not_found", f"{self.source} does not exist")
        if target and (self.options["overwrite"] == "never" or S_ISDIR(source.st_mode) or S_ISDIR(target.st_mode)):
            raise Failed("exists", f"{self.destination} is there already")
        if same:
            raise Failed("invalid", f"{self.source} and {self.destination} are one path")
        return True

    def walk(self, look, names):
        """The operation list. look(path): its stat, or None where nothing is there. names(path): those in a directory,
        and what tells whether it is one that we have come through."""
        given = self.source.rstrip("/") or self.source[:1] or "~"
        above, slash, name = given.rpartition("/") if given not in ("/", "~") else (given, "", ".")
        depth, top = self.options.get("depth"), look(given)
        if not top:
            raise Failed("not_found", f"{given} does not exist")
        if depth == 0 or not S_ISDIR(top.st_mode):
            return self.entries(above.rstrip("/") or slash or "~", {name: top})
        waiting = [(given, [])]
        while waiting:
            directory, passed = waiting.pop()
            found, identity = names(directory)
            if identity in passed:
                raise Failed("invalid", f"{directory} leads back to a directory that it is in")
            for name in filter(UNSAYABLE.search, found):
                raise Failed("invalid", f'{directory} holds the name "{shown(name)}", which no job can say; rename it')
            facts = {name: look(os.path.join(directory, name)) for name in found}
            self.entries(directory, {name: fact for name, fact in facts.items() if fact})
            if len(passed) + 1 != depth:
                waiting += [(os.path.join(directory, name), passed + [identity])
                            for name, fact in facts.items() if fact and S_ISDIR(fact.st_mode)]

    def entries(self, directory, facts):
        """Entries in chunks that a line may hold; an empty directory is one chunk with none."""
        entries = [{"name": name, "st_size": fact.st_size, "st_mode": fact.st_mode,
                    "st_mtime": fact.st_mtime_ns // 10**9}
                   for name, fact in facts.items()]
        for start in range(0, len(entries) or 1, 1000):
            self.check()
            self.say("entries", directory=directory, entries=entries[start:start + 1000])

    def perform(self, operation):
        """Runs an operation and writes the one result; what the operation returns stands in it."""
        try:
            self.check()
            self.say("result", outcome="ok", returncode=0, **(operation(self) or {}))
        except Exception as error:
            code = errno.errorcode.get(error.errno, "") if isinstance(error, OSError) else ""
            kind = next((kind for kind, codes in CLASSES.items() if code in codes.split()), "unknown")
            kind, reason = error.args if isinstance(error, Failed) else (kind, str(error))
            self.say("result", outcome="failed", returncode=1, reason=reason, **{"class": kind})


def run(protocol):
    """Serves the batch on standard input with protocol(batch), whose methods are named like the operations."""
    batch = json.loads(sys.stdin.buffer.readline())
    if batch["version"] != 1:
        print("this backend speaks version 1 of haul's contract", file=sys.stderr)
        sys.exit(2)
    elements = {}
    try:
        operation = getattr(protocol(batch), batch["operation"])
    except Exception as error:
        def operation(element, why=error):  # it could not begin: each element says why
            raise why
    with ThreadPoolExecutor(batch["concurrency"]) as pool:  # leaves once every element has its result
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if message["type"] == "element":
                element = elements[message["id"]] = Element(message, batch["options"])
                pool.submit(element.perform, operation)
            elif message["type"] == "cancel" and message["id"] in elements:
                elements[message["id"]].cancelled = True
