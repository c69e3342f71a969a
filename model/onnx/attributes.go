package onnx

import (
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// attributeKinds are the types of the attributes that ONNX's operators have had, by
// name. The graph reads an attribute of another type as if it were not there, so it
// is refused here. Those of several types are 0.
var attributeKinds = listAttributes()

func listAttributes() map[string]wire.AttributeType {
	out := map[string]wire.AttributeType{}
	add := func(t wire.AttributeType, names string) {
		for _, name := range strings.Fields(names) {
			out[name] = t
		}
	}
	add(wire.AttributeInt, `align_corners allowzero antialias axis batch_axis batch_dims block_size blocksize broadcast ceil_mode center_point_box
		chunk_size count_include_pad default_int64 detect_negative detect_positive dtype end exclude_outside exclusive fmod
		group hidden_size ignore_index input_forget interleaved inverse is_case_sensitive is_causal is_test k keepdims
		kv_num_heads largest layout left_window_size linear_before_reset max_gram_length max_map max_skip_count maxsplit
		min_gram_length multi_class n_supports n_targets new_axis noop_with_empty_axes num_groups num_heads num_outputs
		num_scan_inputs offset_group one_class onesided output_datatype output_dtype output_height output_sequence output_width
		periodic precision q_num_heads qk_matmul_output_mode replaced_value_int64 reverse right_window_size rotary_embedding_dim
		sample_size sampling_ratio saturate select_last_index size softmax_precision sorted spatial start stash_type
		storage_order targets time_axis training_mode transA transB upper value_int zeros`)
	add(wire.AttributeFloat, `alpha beta bias clip cubic_coeff_a decay_factor default_float epsilon extrapolation_value gamma height_scale high lambd
		low max mean min momentum norm_coefficient norm_coefficient_post ratio replaced_value_float softcap spatial_scale
		threshold value_float width_scale`)
	add(wire.AttributeString, `activation approximate auto_pad case_change_action cast_to coordinate_transformation_mode default_string delimiter
		direction equation keep_aspect_ratio_policy kernel_type locale map_form mode nearest_mode norm padding_mode pattern
		pixel_format reduction round_mode update_rule value_string y`)
	add(wire.AttributeInts, `axes cats_int64s class_ids class_nodeids class_treeids classlabels_int64s classlabels_ints consumed_inputs dilations
		directions ends imputed_value_int64s inputdimensions int64_vocabulary kernel_shape keys_int64s leaf_targetids
		ngram_counts ngram_indexes nodes_falseleafs nodes_falsenodeids nodes_featureids nodes_missing_value_tracks_true
		nodes_nodeids nodes_treeids nodes_trueleafs nodes_truenodeids output_padding output_shape paddings pads perm pool_int64s
		pooled_shape scan_input_axes scan_input_directions scan_output_axes scan_output_directions shape split starts strides
		target_ids target_nodeids target_treeids tree_roots value_ints values_int64s vectors_per_class`)
	add(wire.AttributeFloats, `activation_alpha activation_beta base_values class_weights coefficients imputed_value_floats intercepts kernel_params
		keys_floats nodes_values offset prob_a prob_b rho scales support_vectors target_weights value_floats values_floats
		weights`)
	add(wire.AttributeStrings, `activations cats_strings classes_strings classlabels_strings keys_strings pool_strings stopwords string_vocabulary
		value_strings values_strings xs zs`)
	add(wire.AttributeTensor, `base_values_as_tensor class_weights_as_tensor default_tensor keys_tensor leaf_weights membership_values
		nodes_hitrates_as_tensor nodes_splits nodes_values_as_tensor target_weights_as_tensor values_tensor`)
	add(wire.AttributeGraph, `body else_branch prob_mod score_mod then_branch`)
	add(wire.AttributeTypeProto, `type`)
	add(wire.AttributeSparseTensor, `sparse_value`)
	add(0, `aggregate_function nodes_hitrates nodes_modes p post_transform scale seed to value`)
	return out
}

// checkAttribute refuses an attribute that no operator has, or not of this type.
func checkAttribute(a *wire.Attribute) error {
	want, known := attributeKinds[a.Name]
	switch {
	case !known:
		return fmt.Errorf("no operator has it: %w", accel.ErrUnsupported)
	case want != 0 && a.Type != want:
		return fmt.Errorf("of type %v, want %v", a.Type, want)
	}
	return nil
}
