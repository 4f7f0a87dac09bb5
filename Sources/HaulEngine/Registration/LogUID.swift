import HaulCrypto
import HaulModel

/// The names of jobs' log folders: 32 hexadecimal digits.
enum LogUID {
    /// Names that nobody has yet: a byte of the second, the time in milliseconds (6 bytes), chance (9 bytes).
    ///
    /// Neighbours in time are neighbours in the database's index: of names of chance each touches a page of its own, and
    /// a thousand jobs wrote 4 MB. The first byte is that of the folder in which a job's folder lies, so that all 256 of
    /// those come in turn.
    static func make(_ count: Int, now: Timestamp, random: (Int) -> [UInt8]) -> [String] {
        let time = UInt64(max(0, now.milliseconds))
        let head =
            [UInt8(truncatingIfNeeded: time / 1000)]
            + (0..<6).reversed().map { UInt8(truncatingIfNeeded: time >> (8 * $0)) }
        let chance = random(9 * count)
        return (0..<count).map { number in Text.hex(head + chance[(9 * number)..<(9 * number + 9)]) }
    }
}
