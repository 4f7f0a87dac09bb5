import CFiles

extension UnsafeRawBufferPointer {
    /// Where bytes next stand, from a place on; nil for nowhere, and for no bytes.
    func place(of wanted: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < count, let base = baseAddress, let bytes = wanted.baseAddress, !wanted.isEmpty,
            let found = haul_find(base + start, count - start, bytes, wanted.count)
        else { return nil }
        return found - base
    }
}
