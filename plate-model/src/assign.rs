//! Optimal one-to-one assignment (Hungarian method, shortest augmenting paths): tracks to
//! detections without the swaps that a greedy choice makes.

/// For each row the column it gets, maximising the total of `similarity`; pairs below `least` are
/// not made. `similarity` has one row a track, all of the same length.
pub fn assign(similarity: &[Vec<f32>], least: f32) -> Vec<Option<usize>> {
    let rows = similarity.len();
    let columns = similarity.first().map_or(0, Vec::len);
    if rows == 0 || columns == 0 {
        return vec![None; rows];
    }
    // Square with a cost for staying alone, so that no bad pair is made to please the total.
    let n = rows + columns;
    let alone = f64::from(1.0 - least);
    let cost = |row: usize, column: usize| -> f64 {
        match (row < rows, column < columns) {
            (true, true) => {
                let s = similarity[row][column];
                if s >= least { 2.0 * f64::from(1.0 - s) } else { 1e6 }
            }
            (false, false) => 0.0,
            _ => alone,
        }
    };
    let (mut u, mut v) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    let mut row_of = vec![0; n + 1];
    let mut way = vec![0; n + 1];
    for row in 1..=n {
        row_of[0] = row;
        let mut column = 0;
        let mut least_slack = vec![f64::INFINITY; n + 1];
        let mut used = vec![false; n + 1];
        loop {
            used[column] = true;
            let current = row_of[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for j in 1..=n {
                if used[j] {
                    continue;
                }
                let slack = cost(current - 1, j - 1) - u[current] - v[j];
                if slack < least_slack[j] {
                    least_slack[j] = slack;
                    way[j] = column;
                }
                if least_slack[j] < delta {
                    delta = least_slack[j];
                    next = j;
                }
            }
            for j in 0..=n {
                if used[j] {
                    u[row_of[j]] += delta;
                    v[j] -= delta;
                } else {
                    least_slack[j] -= delta;
                }
            }
            column = next;
            if row_of[column] == 0 {
                break;
            }
        }
        while column != 0 {
            let previous = way[column];
            row_of[column] = row_of[previous];
            column = previous;
        }
    }
    let mut out = vec![None; rows];
    for (column, &row) in row_of.iter().enumerate().skip(1) {
        if row >= 1 && row <= rows && column <= columns && similarity[row - 1][column - 1] >= least
        {
            out[row - 1] = Some(column - 1);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_total_decides_not_the_first_choice() {
        // Greedy would take 0.9 and leave row 1 with nothing.
        let s = vec![vec![0.9, 0.8], vec![0.85, 0.1]];
        assert_eq!(assign(&s, 0.3), [Some(1), Some(0)]);
    }

    #[test]
    fn weak_pairs_stay_apart() {
        assert_eq!(assign(&[vec![0.2]], 0.3), [None]);
        assert_eq!(assign(&[], 0.3), Vec::<Option<usize>>::new());
        assert_eq!(assign(&[vec![], vec![]], 0.3), [None, None]);
    }

    proptest! {
        #[test]
        fn no_column_is_given_twice_and_no_swap_is_better(
            s in (1usize..6, 1usize..6).prop_flat_map(|(r, c)| {
                prop::collection::vec(prop::collection::vec(0.0f32..1.0, c), r)
            })
        ) {
            let out = assign(&s, 0.2);
            for i in 0..out.len() {
                for k in 0..i {
                    if let (Some(a), Some(b)) = (out[i], out[k]) {
                        prop_assert_ne!(a, b);
                        if s[i][b] >= 0.2 && s[k][a] >= 0.2 {
                            prop_assert!(s[i][a] + s[k][b] >= s[i][b] + s[k][a] - 1e-4);
                        }
                    }
                }
            }
        }
    }
}
