//! The page of a run, `report.html`: a single file that shows the results, without scripts and without a network.
//!
//! [`Gathered`] takes the frames one by one and keeps a bounded amount of each session, however long it is: bins of
//! time (`timeline`), of values (`spread`) and of places (`places`), a sample of frames (`sample`), sums (`moments`)
//! and the worst frames (`bad`). [`page`] makes the text from that, from the report and from `pictures`, which renders
//! the worst frames again or takes those that were kept. `charts` has a file for each family of charts; they draw with
//! `plot` and write with `text`.

mod bad;
mod charts;
mod facts;
mod gathered;
mod head;
mod moments;
mod page;
mod pictures;
mod places;
pub(crate) mod plot;
mod sample;
mod session;
mod spread;
pub(crate) mod text;
mod timeline;

pub(super) use gathered::Gathered;
pub(crate) use page::framed;
pub(super) use page::page;

#[cfg(test)]
mod tests;
