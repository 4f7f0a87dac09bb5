#!/usr/bin/env -S python3 -B -X utf8
"""A whole protocol: the files below a site's option `root`. protocols/README.md says what each operation has to do."""
import contextlib, os
import haul


def look(path):
    return os.lstat(path) if os.path.lexists(path) else None


class Tree:
    def __init__(self, batch):
        sides = batch["source"]["options"], (batch.get("destination") or batch["source"])["options"]
        if not all("root" in options for options in sides):
            raise haul.Failed("invalid", "the site has no option root, the folder of its files")
        self.root, self.other = (os.path.realpath(options["root"]) for options in sides)
        self.options, self.follow = batch["options"], batch["options"]["symlinks"] == "follow"

    def find(self, path, root, follow=False):
        """Where a job's path is on this disk. No link leads out of the root; a last one is followed on wish alone."""
        *above, last = haul.split(path) or ["."]
        found = os.path.join(os.path.realpath(os.path.join(root, *above)), last)
        found = os.path.realpath(found) if follow else found
        if os.path.commonpath([root, found]) != root:
            raise haul.Failed("permission", f"{path} leads out of the site's root")
        return found

    def list(self, element):
        def facts(path):
            with contextlib.suppress(haul.Failed):  # a link that leads nowhere, or out of the root, stays a link
                if self.follow and (found := look(self.find(path, self.root, follow=True))):
                    return found
            return look(self.find(path, self.root))

        def names(path):
            directory = self.find(path, self.root, self.follow)
            return os.listdir(directory), directory

        element.walk(facts, names)

    def copy(self, element):
        source = self.find(element.source, self.root, self.follow)
        return self.transfer(element, source, self.find(element.destination, self.other))

    def get(self, element):
        return self.transfer(element, self.find(element.source, self.root, self.follow), element.destination)

    def put(self, element):
        source = os.path.realpath(element.source) if self.follow else element.source
        return self.transfer(element, source, self.find(element.destination, self.root))

    def transfer(self, element, source, target):
        facts, there, known = os.lstat(source), look(target), element.checksum
        if not element.needs_copy(facts, there, lambda: element.read(target) == (known or element.read(source))):
            return {}
        self.make_parents(target)
        part = os.path.join(os.path.dirname(target), element.part_name(facts))
        try:
            with open(part, "wb") as file:
                sent = element.read(source, copy=file)
            arrived = element.verify(facts, os.lstat(source), os.lstat(part), known or sent, lambda: element.read(part))
            os.utime(part, ns=(facts.st_atime_ns, facts.st_mtime_ns))
            os.chmod(part, facts.st_mode & 0o777)
            os.replace(part, target) if there else os.link(part, target)  # a link replaces nothing that came meanwhile
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
        return {"transferred": facts.st_size, "checksum": arrived}

    def make_parents(self, path):
        if self.options["parents"]:
            os.makedirs(os.path.dirname(path), exist_ok=True)

    def remove(self, element):
        path = self.find(element.source, self.root)
        try:
            os.rmdir(path) if element.source.endswith("/") else os.unlink(path)
        except FileNotFoundError:
            if element.attempt == 1:
                raise
            element.say("log", text=f"{element.source} is gone: an earlier attempt removed it")

    def rename(self, element):
        old, new = self.find(element.source, self.root), self.find(element.destination, self.root)
        was, there = look(old), look(new)
        if element.needs_rename(was, there, same=old == new):
            self.make_parents(new)
            os.unlink(old) if there and os.path.samestat(was, there) else os.rename(old, new)

    def mkdir(self, element):
        path = self.find(element.source, self.root)
        try:
            os.makedirs(path) if self.options["parents"] else os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path) or element.attempt == 1 and not self.options["parents"]:
                raise


haul.run(Tree)
