import Foundation
import HaulProtocol

/// Ends the stack when this process dies without having done so (SIGKILL): the kernel takes our own children along,
/// but not their children, and not what has changed its user.
final class Keeper: Sendable {
    private let child: Child

    /// The inner shell is no child of ours: it outlives this process, sees the end of its input, and acts.
    private static let script = """
        exec 3<&0
        (
            read -r _ <&3
            for file in $(grep -lzxF "HAUL_PLAYGROUND=$1" /proc/[0-9]*/environ); do
                pid=${file#/proc/}
                kill -KILL "${pid%/environ}"
            done
            if [ -n "$2" ]; then rm -rf -- "$2"; fi
        ) </dev/null >/dev/null 2>&1 &
        exec 3<&-
        wait
        """

    /// - Parameter removing: A folder of ours to remove as well, for a stack that leaves nothing.
    init(folder: String, removing: String? = nil) async throws {
        child = try await Child.start(
            Command(
                executable: "/bin/sh", arguments: ["-c", Self.script, "haul-keeper", folder, removing ?? ""],
                input: .pipe, output: .null, errors: .null, newGroup: true))
    }

    /// Ends the keeper, which then does nothing.
    func dismiss() async {
        child.signal(SIGKILL)
        _ = await child.wait(atMost: .seconds(5))
    }
}
