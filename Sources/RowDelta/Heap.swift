/// An array as a binary heap: no element comes after those at `2 * place + 1` and `2 * place + 2`.
extension Array {
    /// Makes a heap of it.
    mutating func makeHeap(_ precedes: (Element, Element) -> Bool) {
        for place in indices.reversed() { sink(from: place, precedes) }
    }

    /// Puts an element to where it belongs, which is its place or below: the only one that may be out of place.
    mutating func sink(from start: Int = 0, _ precedes: (Element, Element) -> Bool) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < count {
                if precedes(self[child], self[least]) { least = child }
            }
            guard least != place else { return }
            swapAt(place, least)
            place = least
        }
    }

    /// Removes the first element.
    mutating func removeTop(_ precedes: (Element, Element) -> Bool) {
        swapAt(0, count - 1)
        removeLast()
        sink(precedes)
    }
}
