//! The reductions with AVX2. Compilers do not find the instruction that adds bytes in pairs.

use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi16, _mm256_add_epi32, _mm256_hadd_epi32, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_packs_epi32, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setr_epi32, _mm256_srai_epi32, _mm256_storeu_si256,
};

#[target_feature(enable = "avx2")]
pub(crate) fn reduce_by_4(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    let (a, rest) = band.split_at(width);
    let (b, rest) = rest.split_at(width);
    let (c, d) = rest.split_at(width);
    let columns = a.as_chunks::<64>().0.iter().zip(b.as_chunks::<64>().0);
    let columns = columns.zip(c.as_chunks::<64>().0.iter().zip(d.as_chunks::<64>().0));
    let (cells, _) = out.as_chunks_mut::<16>();
    let mut written = 0;
    for (cells, ((a, b), (c, d))) in cells.iter_mut().zip(columns) {
        // Prefetch the next four rows: the processor does not read ahead past the end of a page.
        for row in [a, b, c, d] {
            _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().wrapping_add(4 * width).cast());
        }
        let fours = |half: usize| fours([a, b, c, d].map(|row| load(row, half)));
        // Packing works within halves of 128 bits. The permutation puts the four quarters in order.
        let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(fours(0), fours(1)));
        store(cells, packed);
        written += 16;
    }
    written
}

#[target_feature(enable = "avx2")]
pub(crate) fn reduce_by_8(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    let (upper, lower) = band.split_at(4 * width);
    let (cells, _) = out.as_chunks_mut::<16>();
    let mut written = 0;
    for (i, cells) in cells.iter_mut().enumerate() {
        let quarters = |quarter: usize| {
            let at = 128 * i + 32 * quarter;
            let row = |rows: &[u8], row: usize| load32(&rows[row * width + at..]);
            let four = |rows: &[u8]| fours([row(rows, 0), row(rows, 1), row(rows, 2), row(rows, 3)]);
            _mm256_add_epi32(four(upper), four(lower))
        };
        // Neighbours add up to cells. The halves come out interleaved by 64 bits.
        let left = _mm256_hadd_epi32(quarters(0), quarters(1));
        let right = _mm256_hadd_epi32(quarters(2), quarters(3));
        let packed = _mm256_packs_epi32(_mm256_srai_epi32::<2>(left), _mm256_srai_epi32::<2>(right));
        store(cells, _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
        written += 16;
    }
    written
}

/// Sums over four rows and four neighbouring bytes.
#[target_feature(enable = "avx2")]
fn fours(rows: [__m256i; 4]) -> __m256i {
    let [a, b, c, d] = rows.map(|row| _mm256_maddubs_epi16(row, _mm256_set1_epi8(1)));
    let pairs = _mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(c, d));
    _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
}

#[target_feature(enable = "avx2")]
fn load(row: &[u8; 64], half: usize) -> __m256i {
    load32(&row[32 * half..])
}

#[target_feature(enable = "avx2")]
fn load32(bytes: &[u8]) -> __m256i {
    let bytes = &bytes[..32];
    // SAFETY: 32 bytes can be read, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(cells: &mut [i16; 16], value: __m256i) {
    // SAFETY: 32 bytes can be written, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(cells.as_mut_ptr().cast(), value) }
}
