/// Numbers as people read them.
enum Human {
    /// `1.5 GiB`.
    static func size(_ bytes: Double) -> String {
        // More than there is anywhere: somebody made it up.
        guard bytes < 1e24 || !bytes.isFinite else { return "?" }
        guard bytes.isFinite, bytes >= 1024 else { return "\(Int(max(0, bytes.isFinite ? bytes : 0))) B" }
        var value = bytes
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return value < 100 ? "\(tenths / 10).\(tenths % 10) \(units[unit])" : "\(Int(value.rounded())) \(units[unit])"
    }

    /// `45 s`, `3:05 min`, `2:10 h`, `3 d`.
    static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e9 else { return "?" }
        let whole = Int(seconds.rounded(.up))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        switch whole {
        case ..<60: return "\(max(0, whole)) s"
        case ..<3600: return "\(whole / 60):\(two(whole % 60)) min"
        case ..<172_800: return "\(whole / 3600):\(two(whole / 60 % 60)) h"
        default: return "\(whole / 86_400) d"
        }
    }
}
