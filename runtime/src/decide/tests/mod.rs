//! Random DAGs with regions in regions, random orders of events, random faults; and the cases worth a name.

mod machine;
mod named;
mod plan;
mod random;
mod regions;
