/// cp, and rclone between two folders.
enum LocalTools {
    static func many(_ errand: Errand) -> [Yardstick] {
        let words = [
            "rclone", "copy", "--config", "/dev/null", "--transfers", "16", "--checkers", "16",
            "\(errand.from.disk)/src",
            "\(errand.to.disk)/dst",
        ]
        return [
            Yardstick(name: "rclone copy, local to local", commands: [words]),
            Yardstick(name: "cp -r", commands: [["cp", "-rT", "\(errand.from.disk)/src", "\(errand.to.disk)/dst"]]),
        ]
    }

    static func one(_ errand: Errand) -> [Yardstick] {
        [Yardstick(name: "cp", commands: [["cp", "-rT", "\(errand.from.disk)/src", "\(errand.to.disk)/dst"]])]
    }

    static func leg(_ remote: String, _ disk: String, out: Bool) -> Yardstick {
        let words = out ? ["bash", "-c", "exec cat \"$1\" > /dev/null", "leg", remote] : ["cp", disk, remote]
        return Yardstick(name: out ? "cat > /dev/null" : "cp", commands: [words], isWhole: false)
    }
}
