/// A first-in, first-out queue over one array; its front may be looked at and indexed.
///
/// Inlinable, because the program's send loop uses it for types of its own.
package struct Fifo<Element> {
    @usableFromInline var storage: [Element?] = []
    @usableFromInline var head = 0

    @inlinable package init() {}

    @inlinable package var count: Int { self.storage.count - self.head }
    @inlinable package var isEmpty: Bool { self.count == 0 }
    @inlinable package var first: Element? { self.isEmpty ? nil : self.storage[self.head] }

    @inlinable package mutating func append(_ element: Element) { self.storage.append(element) }

    @inlinable package mutating func popFirst() -> Element? {
        guard self.head < self.storage.count else { return nil }
        let element = self.storage[self.head]
        self.storage[self.head] = nil
        self.head += 1
        // Each element is moved at most once on average.
        if self.head >= 64, self.head * 2 >= self.storage.count {
            self.storage.removeFirst(self.head)
            self.head = 0
        }
        return element
    }

    /// The element so many places behind the front; nil beyond the end.
    @inlinable package subscript(_ offset: Int) -> Element? {
        get { self.holds(offset) ? self.storage[self.head + offset] : nil }
        set {
            guard self.holds(offset), let newValue else { return }
            self.storage[self.head + offset] = newValue
        }
    }

    @inlinable package func holds(_ offset: Int) -> Bool { offset >= 0 && offset < self.count }
}

extension Fifo: Sendable where Element: Sendable {}
