fn main() {
    println!("{:?}", fnv::FnvHasher::default());
}
