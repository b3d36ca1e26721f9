/// The word that `text` was most likely meant to be, or nil if it is like none of them.
///
/// Case, `-` and `_` do not count, so that `lockTimeout` finds `lock_timeout`. Otherwise a third of the letters may differ.
public func nearestWord(to text: String, among words: [String]) -> String? {
    let letters = significantLetters(text)
    let near = words.map { word in (word: word, distance: editDistance(letters, significantLetters(word))) }
    guard let best = near.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, significantLetters(best.word).count / 3) ? best.word : nil
}

private func significantLetters(_ text: String) -> [Character] {
    // A long text is not a misspelt word, and the distance takes time.
    Array(text.lowercased().filter { $0 != "_" && $0 != "-" }.prefix(100))
}

/// How many letters to insert, delete, replace, or swap with their neighbour (optimal string alignment).
private func editDistance(_ from: [Character], _ to: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...to.count)
    for row in 0..<from.count {
        var current = [row + 1]
        for column in 0..<to.count {
            let replaced = last[column] + (from[row] == to[column] ? 0 : 1)
            var best = min(replaced, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, from[row] == to[column - 1], from[row - 1] == to[column] {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        (beforeLast, last) = (last, current)
    }
    return last[to.count]
}
