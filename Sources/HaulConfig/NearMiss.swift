/// Finds the word that somebody meant.
public enum NearMiss {
    /// The nearest of `candidates` to a word that is none of them, where one is near enough to be a slip: at most one
    /// change in three letters, counting two letters swapped as one change.
    public static func of(_ word: String, in candidates: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().prefix(64))
        let limit = max(1, min(3, letters.count / 3))
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(letters, Array(candidate.lowercased().prefix(64)))
            if distance <= limit && distance < (best?.distance ?? .max) { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Changes (a letter put in, left out, changed or swapped with the next) that make one word the other.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
