import Synchronization

/// A list that several tasks append to.
public final class Notes<Element: Sendable>: Sendable {
    private let list = Mutex<[Element]>([])

    init() {}

    func append(_ element: Element) { list.withLock { $0.append(element) } }

    public var all: [Element] { list.withLock { $0 } }
}
