//! Results that stay, without the room that they grew in.

/// A vector that takes no more memory than what is in it, for results that stay.
///
/// `shrink_to_fit` is not enough: an allocator may leave a block where it is as long as half of it is used, and a
/// vector that grew by doubling always uses half.
pub fn fitted<T>(grown: Vec<T>) -> Vec<T> {
    if grown.capacity() == grown.len() {
        return grown;
    }
    let mut exact = Vec::with_capacity(grown.len());
    exact.extend(grown);
    exact
}
