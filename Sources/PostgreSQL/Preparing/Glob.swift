/// A pattern for names: `*` stands for any characters, `?` for one, everything else for itself.
struct Glob: Sendable {
    let pattern: String
    // Scalars, not characters: two names that Unicode calls equivalent are two databases.
    private let scalars: [Unicode.Scalar]

    init(_ pattern: String) {
        self.pattern = pattern
        scalars = Array(pattern.unicodeScalars)
    }

    /// Whether it can only match one name: itself.
    var isPlainName: Bool { !scalars.contains { $0 == "*" || $0 == "?" } }

    func matches(_ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var (place, position) = (0, 0)
        // Where to go on when the text after the last `*` did not fit: one further along the name.
        var retry: (place: Int, position: Int)?
        while position < name.count {
            if place < scalars.count, scalars[place] == "*" {
                place += 1
                retry = (place, position)
            } else if place < scalars.count, scalars[place] == "?" || scalars[place] == name[position] {
                place += 1
                position += 1
            } else if let last = retry {
                retry = (last.place, last.position + 1)
                (place, position) = (last.place, last.position + 1)
            } else {
                return false
            }
        }
        return scalars[place...].allSatisfy { $0 == "*" }
    }
}
