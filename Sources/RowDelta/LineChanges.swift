import SystemPackage

/// What became of lines, from the lists of all changes since the base, in the order of the lines. Of one line, earlier changes come first.
struct LineChanges: ~Copyable {
    /// A heap by what is at hand of each.
    private var lists: [LineList]
    /// The lines at hand; beyond all lines at the end.
    private(set) var first = Int64.max
    private(set) var last = Int64.max
    /// Whether the line has another text; else the lines are gone.
    private(set) var isEdit = false

    /// - Parameter paths: of the lists, the earliest first.
    init(_ paths: [FilePath]) throws(RowDeltaError) {
        lists = []
        for (order, path) in paths.enumerated() {
            let list = try LineList(path, order: order)
            if list.first < .max { lists.append(list) }
        }
        lists.makeHeap { $0.precedes($1) }
        look()
    }

    /// The piece that is replaced, and the text that takes its place: until the next call of `advance`.
    var edit: LineList.Edit { lists[0].edit }

    mutating func advance() throws(RowDeltaError) {
        guard let list = lists.first else { return }
        try list.advance()
        if list.first == .max {
            lists.removeTop { $0.precedes($1) }
        } else {
            lists.sink { $0.precedes($1) }
        }
        look()
    }

    private mutating func look() {
        guard let list = lists.first else {
            (first, last, isEdit) = (.max, .max, false)
            return
        }
        (first, last, isEdit) = (list.first, list.last, list.isEdit)
    }
}
