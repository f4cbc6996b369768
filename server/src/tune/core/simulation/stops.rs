//! Searches that are stopped, and begun again.

use super::*;

#[test]
fn a_search_that_is_stopped_anywhere_finds_the_same_in_any_order() {
    let mut problem = problem(vec![real("a"), whole("b", 9)], Method::Cma);
    problem.trials = 30;
    let factor =
        |setting: &Setting| 1.0 + (number(setting, 0) - 0.3).powi(2) + (number(setting, 1) / 9.0 - 0.6).powi(2);
    let fake = Fake { seed: 5, factor: &factor, ..Fake::default() };
    let (whole, ..) = fake.run(&problem);
    // One block at a time, in an order that changes, and with a new start of the search after each.
    let (mut results, mut turns) = (Results::default(), 0_usize);
    let found = loop {
        match search(&problem, &results) {
            Ok(found) => break found,
            Err(Pending(requests)) => {
                turns += 1;
                let request = &requests[turns * 7 % requests.len()];
                let block = request.blocks.clone().nth(turns * 3 % request.blocks.len()).unwrap();
                results.note(
                    &request.setting,
                    request.seeds,
                    block,
                    fake.sample(&request.setting, request.seeds, block),
                );
            }
        }
    };
    assert!(turns > 500, "{turns}");
    assert_eq!(found.trials, whole.trials);
    assert_eq!(found.best.map(|best| best.setting), whole.best.map(|best| best.setting));
}
