/// A part of a pattern whose elements are compared one by one, such as the bytes of a name, or the names of a path.
///
/// What a pattern may hold differs from place to place, how it matches does not. Patterns of trees are those of gitignore(5), with classes
/// and escapes. They are bytes, as names of files need not be text. Those of databases know `*` and `?` alone, as their names may hold
/// brackets and backslashes. They are text, of which `?` stands for a whole character. Archives are matched by Borg itself.
public protocol WildToken {
    associatedtype Element
    /// Whether it stands for any number of elements. If not, it stands for one.
    var isWild: Bool { get }
    func matches(_ element: Element) -> Bool
}

/// Whether a pattern matches all elements. Some of its tokens may stand for any number of elements. What follows such a token is tried at
/// the next element each time that it fails. To go back to earlier such tokens would find nothing more, and could take forever.
///
/// - Parameter lastTakesAtLeastOne: whether such a token at the end stands for one element at least.
// Inlinable: for each name of a tree it is called with each pattern.
@inlinable
public func matchesWildly<Token: WildToken>(
    _ tokens: [Token], _ elements: [Token.Element], lastTakesAtLeastOne: Bool = false
) -> Bool {
    var (token, element) = (0, 0)
    var retry: (token: Int, element: Int)?
    while element < elements.count {
        if token < tokens.count, tokens[token].isWild {
            if token == tokens.count - 1 { return true }
            token += 1
            retry = (token, element + 1)
        } else if token < tokens.count, tokens[token].matches(elements[element]) {
            (token, element) = (token + 1, element + 1)
        } else if let again = retry {
            (token, element) = again
            retry = (again.token, again.element + 1)
        } else {
            return false
        }
    }
    return lastTakesAtLeastOne ? token == tokens.count : tokens[token...].allSatisfy(\.isWild)
}
